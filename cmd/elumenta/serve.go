package main

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"runtime/debug"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
	"unicode"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"golang.org/x/term"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/config"
	"github.com/elumenta/elumenta/console"
	"github.com/elumenta/elumenta/generate"
	"github.com/elumenta/elumenta/httpapi"
	"github.com/elumenta/elumenta/openaiapi"
	"github.com/elumenta/elumenta/starters"
	"github.com/elumenta/elumenta/store"
	"github.com/elumenta/elumenta/telemetry"
)

type serveCommand struct {
	Addr           string         `help:"Where to listen. [127.0.0.1:8080]" placeholder:"HOST:PORT" env:"ELUMENTA_ADDR"`
	Database       string         `help:"Where everything is kept: sqlite:PATH or postgres://…. [sqlite:elumenta.db]" placeholder:"URL" env:"ELUMENTA_DATABASE"`
	Config         string         `help:"Configuration file, TOML or YAML." placeholder:"FILE" env:"ELUMENTA_CONFIG"`
	MetricsAddr    string         `help:"Serve /metrics on an address of its own." placeholder:"HOST:PORT" env:"ELUMENTA_METRICS_ADDR"`
	TLSCert        string         `name:"tls-cert" help:"Certificate chain, PEM." placeholder:"FILE" env:"ELUMENTA_TLS_CERT"`
	TLSKey         string         `name:"tls-key" help:"The certificate's private key, PEM." placeholder:"FILE" env:"ELUMENTA_TLS_KEY"`
	TraceProviders bool           `help:"Tell providers, in the header traceparent, which trace a call belongs to." env:"ELUMENTA_TRACE_PROVIDERS"`
	TrustedProxies []string       `help:"Who may set X-Forwarded-*. [nobody]" placeholder:"CIDR,…" env:"ELUMENTA_TRUSTED_PROXIES"`
	CORSOrigins    []string       `name:"cors-origins" help:"Who may call from a browser. [nobody]" placeholder:"ORIGIN,…" env:"ELUMENTA_CORS_ORIGINS"`
	DrainDelay     *time.Duration `help:"How long to accept connections after SIGTERM; 5s suits a load balancer. [0s]" placeholder:"TIME" env:"ELUMENTA_DRAIN_DELAY"`
	DrainTimeout   *time.Duration `help:"How long running requests get after that. [30s]" placeholder:"TIME" env:"ELUMENTA_DRAIN_TIMEOUT"`
	NoStarters     bool           `help:"Publish no starter assistants." env:"ELUMENTA_NO_STARTERS"`
	LogFormat      string         `help:"text or json. [text]" placeholder:"FORMAT" env:"ELUMENTA_LOG_FORMAT"`
	LogLevel       string         `help:"debug, info, warn or error. [info]" placeholder:"LEVEL" env:"ELUMENTA_LOG_LEVEL"`
}

// Help shows examples.
func (serveCommand) Help() string {
	return `Examples:
  elumenta serve
  OPENAI_API_KEY=… elumenta serve --addr :8080 --database postgres://elumenta@db/elumenta
  elumenta serve --config /etc/elumenta.toml

The first start on an empty database makes an account and a key and prints the key, once; ELUMENTA_BOOTSTRAP_KEY sets
that key instead. Providers are on once their key is in the environment: OPENAI_API_KEY, ANTHROPIC_API_KEY,
GEMINI_API_KEY, DEEPSEEK_API_KEY, XAI_API_KEY, each with a *_BASE_URL beside it, and OLLAMA_HOST. Everything else, and
other hosts and models, can be set in the configuration file: see elumenta.example.toml.

SIGTERM or SIGINT: /readyz fails at once, connections are accepted for --drain-delay more, running requests get
--drain-timeout, then the program ends with 0. A second signal ends it at once. SIGHUP: the configuration file and the files of
--tls-cert and --tls-key are read again, and what runs goes on; a file with a mistake changes nothing, and the log names
what needs a restart.`
}

func (c *serveCommand) overrides() config.Overrides {
	return config.Overrides{
		Addr: c.Addr, Database: c.Database, MetricsAddr: c.MetricsAddr, TLSCert: c.TLSCert, TLSKey: c.TLSKey, LogFormat: c.LogFormat,
		LogLevel: c.LogLevel, TrustedProxies: c.TrustedProxies, CORSOrigins: c.CORSOrigins, DrainDelay: c.DrainDelay, DrainTimeout: c.DrainTimeout,
		NoStarters: c.NoStarters,
	}
}

// Run serves until a signal.
func (c *serveCommand) Run(p *program) error {
	load := func() (*settings, error) { return c.settings(p) }
	conf, err := load()
	if err != nil {
		return err
	}
	// Once ctx has ended, stop gives the signals back their usual effect: a second one ends the program at once.
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)

	signals, unhook := hangups()
	defer unhook()
	n := &node{conf: conf.Config, load: load, hangups: signals, program: p, metrics: newRegistry(), traceProviders: c.TraceProviders}
	n.fresh = newFreshness(n.metrics)
	n.certificate.Store(conf.certificate)
	n.followCertificate()
	n.level.Set(conf.Log.Level)
	var closeLog func()
	n.log, closeLog = newLogger(conf.Log.Format, &n.level, p.stderr)
	defer closeLog()
	n.crash = func() {
		closeLog()
		os.Exit(1)
	}
	if n.telemetry, err = telemetry.Start(ctx, version, p.getenv, n.log); err != nil {
		return err
	}
	defer n.endTelemetry()
	return n.run(ctx, conf.firstKey)
}

// node is one running server.
type node struct {
	conf    *config.Config
	load    func() (*settings, error) // reads it again
	hangups <-chan os.Signal          // each asks for that
	program *program
	crash   func() // ends the program at once
	log     *slog.Logger
	level   slog.LevelVar
	metrics *prometheus.Registry
	fresh   freshness

	telemetry      *telemetry.Telemetry // nil: off
	traceProviders bool

	listeners   listeners
	certificate atomic.Pointer[tls.Certificate] // nil: no TLS
	store       *store.Store
	generator   atomic.Pointer[generate.Service] // nil until the store is open
	routes      *routes
	draining    chan struct{} // closed when the node begins to stop
}

// run takes the addresses before it touches the database, so that the key of a first start is not printed by a program
// that then cannot serve.
func (n *node) run(ctx context.Context, key *elumenta.KeySecret) (err error) {
	n.draining = make(chan struct{})
	if n.listeners, err = listen(n.conf); err != nil {
		return err
	}
	defer n.listeners.close()
	n.store, err = store.Open(ctx, store.Options{
		URL: n.conf.Database, Plans: n.conf.Plans, Logger: n.log, Metrics: n.metrics, Serve: true,
		KeepRecords: n.conf.KeepRecords, DeniedNames: n.conf.DeniedNames, AssistantStorage: n.conf.Limits.AssistantStorage,
		OnLeaseLost: n.interrupt, OnDiskFailed: n.crash,
	})
	if err != nil && ctx.Err() != nil {
		return nil // asked to stop before it served
	}
	if err != nil {
		return fmt.Errorf("cannot open the database: %w", err)
	}
	defer func() { err = errors.Join(err, n.store.Close()) }()
	api, err := n.assemble()
	if err != nil {
		return err
	}
	defer func() { n.routes.close() }()
	pages, err := console.New(console.Options{API: api, Sessions: n.store, Logger: n.log, Version: version, Suggested: sync.OnceValue(starters.Suggested)})
	if err != nil {
		return fmt.Errorf("cannot make the console: %w", err)
	}
	if err := n.bootstrap(ctx, key); err != nil {
		return fmt.Errorf("cannot make the first account: %w", plain(err))
	}
	if err := n.publishStarters(ctx); err != nil {
		return fmt.Errorf("cannot publish the starter assistants: %w", plain(err))
	}
	debug.FreeOSMemory() // what starting took, and serving does not
	n.log.Info("serving", "version", version, "url", n.listeners.url(n.conf), "metrics", n.conf.MetricsAddr, "providers", n.routes.enabled)
	defer n.reloadAt(n.hangups, api)()
	n.tellReady()
	return n.serve(ctx, withConsole(api, pages))
}

// assemble puts the parts together.
func (n *node) assemble() (*httpapi.API, error) {
	n.routes = newRoutes(n.conf, n.log, n.telemetry, n.traceProviders)
	catalog := elumenta.NewCatalog(n.routes.models)
	generation := generationOptions(n.conf, catalog)
	generation.Store, generation.Logger, generation.Metrics = n.ledgerStore(), n.log, n.metrics
	generator := generate.New(generation)
	n.generator.Store(generator)
	options := httpapi.Options{
		Accounts: n.store, Operators: n.store, Assistants: n.store, Usage: n.store, Generator: generator, Settings: apiSettings(n.conf, catalog, n.routes.providers),
		Secret: n.store.InstallationSecret(), Logger: n.log, Metrics: n.metrics, Ready: n.ready, Version: version,
		Surfaces: surfaces(), ModelSurface: openaiapi.Chat{},
	}
	if n.telemetry != nil {
		options.Tracer = n.telemetry
	}
	return httpapi.New(options)
}

// generationOptions are those that a reload replaces.
func generationOptions(c *config.Config, catalog *elumenta.Catalog) generate.Options {
	return generate.Options{
		Catalog: catalog, Plans: c.Plans, FirstPiece: c.Limits.FirstPiece, BetweenPieces: c.Limits.BetweenPieces, Whole: c.Limits.Generation,
		RetryBudget: retryBudget(c.Limits.RetryBudgetPercent),
	}
}

func apiSettings(c *config.Config, catalog *elumenta.Catalog, providers []elumenta.ProviderSetup) httpapi.Settings {
	perMinute := int(c.Limits.RequestsPerMinute)
	if perMinute == 0 {
		perMinute = 1 << 30 // no limit
	}
	return httpapi.Settings{
		Catalog: catalog, Providers: providers, Plans: c.Plans, DeniedNames: c.DeniedNames, TrustedProxies: c.TrustedProxies, CORSOrigins: c.CORSOrigins,
		GenerateBody: c.Limits.GenerateBody, AssistantBody: c.Limits.AssistantBody, Body: c.Limits.OtherBody, RequestsPerMinute: perMinute,
	}
}

// interrupt ends the running generations of a node whose reservations others will give back.
func (n *node) interrupt() {
	if g := n.generator.Load(); g != nil {
		g.Interrupt()
	}
}

// ready says why this node should get no traffic.
func (n *node) ready(ctx context.Context) error {
	select {
	case <-n.draining:
		return errors.New("this node is stopping")
	default:
		ctx, cancel := context.WithTimeout(ctx, readyWait)
		defer cancel()
		return n.store.Ping(ctx)
	}
}

// readyWait is how long a probe waits for the database: less than a load balancer waits for the probe.
const readyWait = time.Second

// bootstrap makes the first account of an empty database. A key that it made itself is printed, this once.
func (n *node) bootstrap(ctx context.Context, given *elumenta.KeySecret) error {
	key := elumenta.NewKeySecret()
	if given != nil {
		key = *given
	}
	first := elumenta.NewAccount{DisplayName: "Administrator", Role: elumenta.RoleAdmin, Plan: "unlimited"}
	created, err := n.store.Bootstrap(ctx, key, first, "First key")
	if err != nil {
		return err
	}
	if !created {
		n.checkGiven(ctx, given)
		return n.checkOperators(ctx)
	}
	if given != nil {
		n.log.Info("made the first account, with the key of ELUMENTA_BOOTSTRAP_KEY")
		return nil
	}
	url := n.listeners.url(n.conf)
	if _, err = fmt.Fprintf(n.program.stdout, welcome, url, key.Reveal(), url, key.Reveal(), url, key.Reveal(), calledAs(), calledAs()); err != nil {
		return err
	}
	return n.offerSignIn(ctx, key, url)
}

// offerSignIn prints a link that signs the first account in to the console, where a person at a terminal reads it, and no log keeps it.
func (n *node) offerSignIn(ctx context.Context, key elumenta.KeySecret, url string) error {
	if f, ok := n.program.stderr.(*os.File); !ok || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	caller, err := n.store.Authenticate(ctx, key.Hash())
	if err != nil {
		return err
	}
	token := elumenta.NewSessionToken()
	if err := n.store.NewSignInLink(ctx, caller.Key.ID, token); err != nil {
		return err
	}
	_, err = fmt.Fprintf(n.program.stderr, "Or open the console, signed in by this link within %.0f minutes, once:\n\n  %s%ssign-in/link#%s\n\n",
		elumenta.SignInLinkLifetime.Minutes(), url, console.Base, token.Reveal())
	return err
}

const welcome = `
Elumenta serves %s

Your API key, shown this once:

  %s

Try it: the model sandbox answers without a provider or a network.

  curl -s %s/api/v2/generate -H 'Authorization: Bearer %s' -H 'Content-Type: application/json' -d '{"model": "sandbox", "prompt": "Hello"}'

Then make an assistant and talk to it:

  export ELUMENTA_URL=%s ELUMENTA_API_KEY=%s
  %s chat "$(%s assistants create --name Pirate --model sandbox --instructions 'You are a pirate.')"

`

// calledAs is how a shell in any folder finds this program.
func calledAs() string {
	const name = "elumenta"
	self, err := os.Executable()
	if err != nil {
		return name
	}
	if found, err := exec.LookPath(name); err == nil {
		if this, err := os.Stat(self); err == nil {
			if that, err := os.Stat(found); err == nil && os.SameFile(this, that) {
				return name
			}
		}
	}
	if strings.ContainsFunc(self, func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune("/._-+@:", r)
	}) {
		return "'" + strings.ReplaceAll(self, "'", `'\''`) + "'"
	}
	return self
}

// publishStarters publishes the starter assistants, with models that this server has.
func (n *node) publishStarters(ctx context.Context) error {
	if !n.conf.Starters {
		return nil
	}
	return n.store.PublishStarters(ctx, starters.Set(n.routes.models), elumenta.StarterOptions{Keep: !n.conf.UpdateStarters, Note: "updated with Elumenta " + version})
}

func newRegistry() *prometheus.Registry {
	r := prometheus.NewRegistry()
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "elumenta_build_info", Help: "Always 1; the label has the version."}, []string{"version"})
	build.WithLabelValues(version).Set(1)
	r.MustRegister(build, collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return r
}

// shownAddr is an address as a client on this machine can use it.
func shownAddr(a net.Addr) string {
	tcp, ok := a.(*net.TCPAddr)
	if !ok || !tcp.IP.IsUnspecified() {
		return a.String()
	}
	return net.JoinHostPort("127.0.0.1", fmt.Sprint(tcp.Port))
}

// checkGiven says where a key is given that does not open a database with accounts: otherwise its owner learns of it by a 401.
func (n *node) checkGiven(ctx context.Context, given *elumenta.KeySecret) {
	if given == nil {
		return
	}
	if _, err := n.store.Authenticate(ctx, given.Hash()); elumenta.HasCode(err, elumenta.CodeNotAuthenticated) {
		n.log.Warn("ELUMENTA_BOOTSTRAP_KEY is not used: the database has accounts already, and this is no key of theirs; elumenta keys create makes one")
	}
}

// checkOperators says where nobody operates the installation: an account that a command made before the first start keeps that from
// making one.
func (n *node) checkOperators(ctx context.Context) error {
	has, err := n.store.HasAdmin(ctx)
	if err == nil && !has {
		n.log.Warn("no account is an operator: elumenta accounts role ACCT admin makes one; elumenta accounts list shows the accounts")
	}
	return err
}

// retryBudget is a share of requests; below 0 is none.
func retryBudget(percent int64) float64 {
	if percent == 0 {
		return -1
	}
	return float64(percent) / 100
}
