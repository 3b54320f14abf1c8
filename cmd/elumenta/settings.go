package main

import (
	"context"
	"crypto/tls"
	"errors"
	"strings"

	"github.com/alecthomas/kong"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/config"
	"github.com/elumenta/elumenta/telemetry"
)

// settings are what a server goes by, from flags, environment and file, checked as far as can be told without starting one.
type settings struct {
	*config.Config
	certificate *tls.Certificate    // nil: no TLS
	firstKey    *elumenta.KeySecret // nil: none was given
}

// settings reads all that serve reads, and names every mistake: what it takes, serve takes.
func (c *serveCommand) settings(p *program) (*settings, error) {
	var s settings
	var problems config.Problems
	add := func(source string, err error) {
		if err != nil {
			problems = append(problems, config.Problem{Source: source, Reason: err.Error()})
		}
	}
	conf, err := config.Load(c.Config, c.overrides(), p.getenv)
	if found, ok := errors.AsType[config.Problems](err); ok {
		problems = append(problems, found...)
	} else if err != nil {
		return nil, err
	} else {
		s.Config = conf
		s.certificate, err = loadCertificate(conf)
		add("tls", err)
	}
	s.firstKey, err = bootstrapKey(p.getenv)
	add("ELUMENTA_BOOTSTRAP_KEY", err)
	add("environment", telemetry.Check(context.Background(), version, p.getenv))
	if len(problems) > 0 {
		return nil, problems
	}
	return &s, nil
}

// servedBy is serve as it would be started with these flags alone, either of which may be empty: the environment counts as it does there.
func servedBy(file, database string) (*serveCommand, error) {
	var c serveCommand
	parser, err := kong.New(&c, kong.Name("elumenta serve"))
	if err != nil {
		return nil, err
	}
	var args []string
	if file != "" {
		args = append(args, "--config="+file)
	}
	if database != "" {
		args = append(args, "--database="+database)
	}
	if _, err := parser.Parse(args); err != nil {
		return nil, config.Problems{{Source: "environment", Reason: err.Error()}}
	}
	return &c, nil
}

// wouldServe reads and checks what serve would go by.
func (p *program) wouldServe(file, database string) (*settings, error) {
	c, err := servedBy(file, database)
	if err != nil {
		return nil, err
	}
	return c.settings(p)
}

func bootstrapKey(getenv func(string) string) (*elumenta.KeySecret, error) {
	text := strings.TrimSpace(getenv("ELUMENTA_BOOTSTRAP_KEY"))
	if text == "" {
		return nil, nil
	}
	key, ok := elumenta.ParseKeySecret(text)
	if !ok {
		return nil, errors.New("is not a well-formed key; `elumenta keys generate` prints one")
	}
	return &key, nil
}
