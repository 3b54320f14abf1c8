package sandbox

import (
	"context"
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/wire"
)

const (
	maxWait    = 5 * time.Minute
	maxWords   = 100_000
	retryAfter = time.Second
)

// command is the case that a message asks for. The zero value is none.
type command struct {
	status int
	wait   time.Duration
	words  int
	cut    bool
}

// parse reads a message that is a command and nothing else; any other text is none.
func parse(message string) command {
	if len(message) > 64 {
		return command{}
	}
	fields := strings.Fields(message)
	if len(fields) == 1 && fields[0] == "sandbox:cut" {
		return command{cut: true}
	}
	if len(fields) != 2 {
		return command{}
	}
	number, err := strconv.Atoi(fields[1])
	switch {
	case fields[0] == "sandbox:slow":
		if d, err := time.ParseDuration(fields[1]); err == nil && d > 0 {
			return command{wait: min(d, maxWait)}
		}
	case err != nil || number <= 0:
	case fields[0] == "sandbox:error" && playable(number):
		return command{status: number}
	case fields[0] == "sandbox:long":
		return command{words: min(number, maxWords)}
	}
	return command{}
}

func playable(status int) bool {
	switch status {
	case 400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 502, 503, 504, 529:
		return true
	}
	return false
}

// failure is what a provider's answer of a status comes to.
func failure(name string, status int) error {
	fault := wire.Fault{Kind: wire.KindOfStatus(status)}
	if fault.Kind == elumenta.KindRateLimited || fault.Kind == elumenta.KindOverloaded {
		fault.RetryAfter = retryAfter
	}
	return named(name, (&wire.Answer{Status: status}).Fail(fault))
}

func named(name string, e *elumenta.ProviderError) error {
	e.Provider = name
	return e
}

// wait returns after d, or with an error as soon as ctx ends.
func wait(ctx context.Context, name string, d time.Duration) error {
	if d <= 0 {
		if ctx.Err() != nil {
			return ended(ctx, name)
		}
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ended(ctx, name)
	}
}

// ended says why a context ended, as a call to a provider does.
func ended(ctx context.Context, name string) error {
	cause := context.Cause(ctx)
	if e, ok := errors.AsType[*elumenta.ProviderError](cause); ok {
		return e
	}
	fault := wire.Fault{Kind: elumenta.KindTimeout}
	if errors.Is(cause, context.Canceled) {
		fault.Message = "the call was cancelled"
	}
	e := (&wire.Answer{}).Fail(fault)
	e.Cause = cause
	return named(name, e)
}
