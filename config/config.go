package config

import (
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"reflect"
	"time"

	"github.com/elumenta/elumenta"
)

// Config is everything that an operator can set, checked.
type Config struct {
	// Addr is where the API listens: host:port.
	Addr string `key:"addr"`
	// Database is sqlite:PATH or a postgres:// URL. It may hold a password: do not log it.
	Database string `key:"database"`
	// MetricsAddr, if not empty, is where /metrics is served alone.
	MetricsAddr string `key:"metrics_addr"`
	// TLSCert and TLSKey are files, both or neither.
	TLSCert string `key:"tls.cert"`
	TLSKey  string `key:"tls.key"`
	// TrustedProxies may set X-Forwarded-*; from anyone else it is ignored.
	TrustedProxies []netip.Prefix `key:"trusted_proxies"`
	// CORSOrigins may call the API from a browser; "*" is everyone.
	CORSOrigins []string `key:"cors_origins"`
	// DrainDelay is how long connections are accepted after readiness failed, DrainTimeout how long running requests get
	// after that.
	DrainDelay   time.Duration `key:"drain_delay"`
	DrainTimeout time.Duration `key:"drain_timeout"`
	Log          Log           `key:"log"`
	Limits       Limits        `key:"limits"`
	// KeepRecords is how long the records of single generations are kept, in whole days; zero means forever.
	KeepRecords time.Duration        `key:"usage.keep_records"`
	DeniedNames elumenta.DeniedNames `key:"marketplace.denied_names"`
	// Starters is whether the starter assistants are published, UpdateStarters whether a newer program changes them.
	Starters       bool           `key:"marketplace.starters"`
	UpdateStarters bool           `key:"marketplace.update_starters"`
	Plans          elumenta.Plans `key:"plans"`

	Providers []Provider
	// Models have no routes yet: who knows the wire formats adds them, from Routes.
	Models []elumenta.Model
	// Routes are those of each model by its slug, sorted by Order; a model that is not in it has one, Model.Provider with Model.UpstreamID.
	Routes map[string][]Route
}

// Changed names the settings that are not the same in another configuration, by their keys in the file; providers, models and
// routes are not among them.
func (c *Config) Changed(other *Config) []string {
	var keys []string
	ours, theirs := reflect.ValueOf(c).Elem(), reflect.ValueOf(other).Elem()
	for i := range ours.NumField() {
		if key := ours.Type().Field(i).Tag.Get("key"); key != "" && !reflect.DeepEqual(ours.Field(i).Interface(), theirs.Field(i).Interface()) {
			keys = append(keys, key)
		}
	}
	return keys
}

// Log says how the log is written.
type Log struct {
	Format string // text or json
	Level  slog.Level
}

// Limits are what one request may take, and what an account may store.
type Limits struct {
	// FirstPiece, BetweenPieces and Generation bound how long a provider may take.
	FirstPiece, BetweenPieces, Generation time.Duration
	// GenerateBody, AssistantBody and OtherBody are the largest request bodies, in bytes.
	GenerateBody, AssistantBody, OtherBody int64
	// AssistantStorage is how many bytes an account's assistants may store (elumenta.Storage); zero means no limit.
	AssistantStorage int64
	// RequestsPerMinute bounds an account's calls that are no generations; zero means no limit.
	RequestsPerMinute int64
	// RetryBudgetPercent bounds how many further calls of providers the requests of a model cause, for each hundred of them.
	RetryBudgetPercent int64
}

// Overrides are what flags and environment set, and stand above the file. Empty fields are not set.
type Overrides struct {
	Addr, Database, MetricsAddr, TLSCert, TLSKey, LogFormat, LogLevel string
	TrustedProxies, CORSOrigins                                       []string
	DrainDelay, DrainTimeout                                          *time.Duration
	NoStarters                                                        bool
}

func defaults() *Config {
	return &Config{
		Addr: "127.0.0.1:8080", Database: "sqlite:elumenta.db", DrainTimeout: 30 * time.Second,
		Log: Log{Format: "text", Level: slog.LevelInfo},
		Limits: Limits{
			FirstPiece: 120 * time.Second, BetweenPieces: 60 * time.Second, Generation: 10 * time.Minute,
			GenerateBody: 20 << 20, AssistantBody: 4 << 20, OtherBody: 64 << 10, AssistantStorage: 1 << 30, RequestsPerMinute: 600, RetryBudgetPercent: 20,
		},
		Starters: true, UpdateStarters: true, Plans: elumenta.DefaultPlans(), Providers: builtinProviders(),
	}
}

// Load reads the file at path, if path is not empty, lays the overrides and the environment over it, and checks the
// whole. An error is Problems: every mistake, not only the first.
func Load(path string, o Overrides, getenv func(string) string) (*Config, error) {
	var data []byte
	if path != "" {
		var err error
		if data, err = read(path); err != nil {
			return nil, Problems{{Source: path, Reason: err.Error()}}
		}
	}
	return load(path, data, o, getenv)
}

func read(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err == nil {
		defer func() { _ = f.Close() }()
		var data []byte
		if data, err = io.ReadAll(io.LimitReader(f, maxFileSize+1)); err == nil {
			return data, nil
		}
	}
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		err = e.Err
	}
	return nil, errors.New("cannot be read: " + err.Error())
}

func load(path string, data []byte, o Overrides, getenv func(string) string) (*Config, error) {
	b := &builder{Config: defaults(), getenv: getenv}
	b.builtinCatalog()
	if path != "" {
		doc, problems := parse(path, data)
		b.doc, b.problems = doc, problems
		if len(problems) == 0 {
			var f file
			d := decoder{doc: doc}
			d.table("", doc.values, reflect.ValueOf(&f).Elem())
			b.problems = d.problems
			b.file(&f)
		}
	}
	b.overrides(o)
	b.environment()
	b.whole()
	if len(b.problems) > 0 {
		return nil, b.problems.sorted()
	}
	return b.Config, nil
}
