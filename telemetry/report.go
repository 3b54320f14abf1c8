package telemetry

import (
	"log/slog"
	"sync"
	"time"

	"github.com/go-logr/logr"
)

// reportPause is how often at most a failing export is logged.
const reportPause = time.Minute

// reporter logs what OpenTelemetry complains of. It implements otel.ErrorHandler.
type reporter struct {
	log *slog.Logger
	now func() time.Time

	mu     sync.Mutex
	last   time.Time
	hidden int // complaints since the last line
}

func newReporter(log *slog.Logger) *reporter { return &reporter{log: log, now: time.Now} }

// Handle logs an error, one a minute at most.
func (r *reporter) Handle(err error) { r.report(plain(err).Error()) }

func (r *reporter) report(message string) {
	r.mu.Lock()
	now := r.now()
	if !r.last.IsZero() && now.Sub(r.last) < reportPause {
		r.hidden++
		r.mu.Unlock()
		return
	}
	hidden := r.hidden
	r.last, r.hidden = now, 0
	r.mu.Unlock()
	r.log.Warn("OpenTelemetry export", "error", message, "not_logged_before", hidden)
}

func (r *reporter) logger() logr.Logger { return logr.New(sink{r}) }

// sink takes OpenTelemetry's own log. Its values may be headers with a credential: only the fixed message is kept.
type sink struct{ r *reporter }

// Init is part of logr.LogSink.
func (sink) Init(logr.RuntimeInfo) {}

// Enabled keeps what is no error out.
func (sink) Enabled(int) bool { return false }

// Info drops a line.
func (sink) Info(int, string, ...any) {}

// Error logs the message without its values.
func (s sink) Error(_ error, message string, _ ...any) { s.r.report(message) }

// WithValues drops the values.
func (s sink) WithValues(...any) logr.LogSink { return s }

// WithName drops the name.
func (s sink) WithName(string) logr.LogSink { return s }
