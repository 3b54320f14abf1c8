// Command elumenta serves reusable AI assistants over HTTP, and manages and uses them from a terminal.
package main

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/alecthomas/kong"
)

// version is set by the build: -ldflags "-X main.version=…".
var version = "dev"

// program is what a command has of the outside world.
type program struct {
	stdin  *os.File
	stdout *os.File
	stderr io.Writer
	getenv func(string) string
	parser *kong.Kong
}

// cli is the whole command line. Flags stand above the environment, which stands above the configuration file.
type cli struct {
	Serve      serveCommand           `cmd:"" help:"Serve the API."`
	Accounts   accountsCommand        `cmd:"" help:"Create and change accounts, in the database."`
	Keys       keysCommand            `cmd:"" help:"Create, list and revoke API keys, in the database."`
	Reports    reportsCommand         `cmd:"" help:"Judge what was reported, in the database."`
	Audit      auditCommand           `cmd:"" help:"Read and check the audit trail, in the database."`
	Ledger     ledgerCommand          `cmd:"" help:"Verify the journal and print statements, in the database."`
	Backup     backupCommand          `cmd:"" help:"Copy a SQLite database while it is used."`
	Restore    restoreCommand         `cmd:"" help:"Put a backup back."`
	Migrate    migrateCommand         `cmd:"" help:"Move everything to another database, SQLite or Postgres."`
	Assistants assistantsCommand      `cmd:"" help:"Manage assistants on a server."`
	Export     exportCommand          `cmd:"" help:"Write your assistants of a server to files."`
	Apply      applyCommand           `cmd:"" help:"Make your assistants on a server what files say."`
	Import     importCommand          `cmd:"" help:"Bring assistants of other programs to a server."`
	Chat       chatCommand            `cmd:"" help:"Talk to an assistant or a model on a server."`
	Usage      usageCommand           `cmd:"" help:"Add up an account's generations on a server."`
	Config     configCommand          `cmd:"" help:"Check the configuration."`
	Retention  verifyRetentionCommand `cmd:"" name:"verify-retention" help:"Show that nothing of a conversation is kept."`
	Doctor     doctorCommand          `cmd:"" help:"Check the database, the disk, clocks, providers and models."`
	Health     healthcheckCommand     `cmd:"" name:"healthcheck" help:"Ask the server on this machine whether it is ready."`
	Completion completionCommand      `cmd:"" help:"Print a completion script for a shell."`
	Version    versionCommand         `cmd:"" help:"Print the version, as --version does."`
	Man        manCommand             `cmd:"" hidden:"" help:"Print the manual page."`
}

const description = `Reusable AI assistants behind one API.

Commands that work on a server take its address from --url or ELUMENTA_URL and the API key from ELUMENTA_API_KEY or
--api-key-file. A key is never taken from the command line, where other users of the machine could see it.

Exit codes: 0 done; 1 failed; 2 wrong arguments or configuration; 3 refused: not found, not allowed, invalid or in conflict.`

func main() { os.Exit(run(os.Args[1:])) }

func run(args []string) int {
	dropEmptyVariables()
	p := &program{stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, getenv: os.Getenv}
	var c cli
	p.parser = kong.Must(&c, kong.Name("elumenta"), kong.Description(description), kong.UsageOnError(),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: 120}))
	if len(args) > 0 && args[0] == completeCommand {
		return complete(p, args[1:])
	}
	switch {
	case len(args) == 0:
		args = []string{"--help"}
	case args[0] == "--version": // as a flag it would be every command's, and one of them has a version to ask for
		args = append([]string{"version"}, args[1:]...)
	}
	ctx, err := p.parser.Parse(args)
	if err != nil {
		_, _ = fmt.Fprintf(p.stderr, "elumenta: %v\nTry: elumenta --help\n", belowZero(args, err))
		return exitUsage
	}
	return p.report(ctx.Run(p))
}

// belowZero explains the errors that a number below zero makes, which looks like a flag. No argument may be one.
func belowZero(args []string, err error) error {
	for _, arg := range args {
		if len(arg) < 2 || arg[0] != '-' || arg[1] < '0' || arg[1] > '9' {
			continue
		}
		if text := err.Error(); strings.HasPrefix(text, "unknown flag "+arg[:2]) || strings.Contains(text, strconv.Quote(arg)) {
			return fmt.Errorf("%s is below zero: no argument may be", arg)
		}
	}
	return err
}

// dropEmptyVariables makes an empty variable mean the same as none: a compose file passes on what is not set.
func dropEmptyVariables() {
	for _, v := range os.Environ() {
		if name, value, _ := strings.Cut(v, "="); value == "" && strings.HasPrefix(name, "ELUMENTA_") {
			_ = os.Unsetenv(name)
		}
	}
}

type versionCommand struct{}

func (versionCommand) Run(p *program) error {
	_, err := fmt.Fprintln(p.stdout, version)
	return err
}

type configCommand struct {
	Check configCheckCommand `cmd:"" help:"Name every mistake of a configuration, with its line."`
}

type configCheckCommand struct {
	File   string `arg:"" optional:"" help:"Configuration file, TOML or YAML."`
	Config string `help:"The same as FILE." placeholder:"FILE" env:"ELUMENTA_CONFIG"`
}

// Help shows examples.
func (configCheckCommand) Help() string {
	return `Examples:
  elumenta config check elumenta.toml
  ELUMENTA_CONFIG=/etc/elumenta.yaml elumenta config check

The environment is checked along with the file, and so are the files of TLS: what passes, elumenta serve takes, if it has the same
environment. Exits with 2 if there is any mistake.`
}

// Run checks and says what was found.
func (c *configCheckCommand) Run(p *program) error {
	path := c.File
	if path == "" {
		path = c.Config
	}
	conf, err := p.wouldServe(path, "")
	if err != nil {
		return err
	}
	var on []string
	for _, provider := range conf.Providers {
		if provider.Enabled {
			on = append(on, provider.Name)
		}
	}
	_, err = fmt.Fprintf(p.stdout, "ok: %d models, %d plans; providers that are on: %s\n", len(conf.Models), len(conf.Plans), strings.Join(on, ", "))
	return err
}
