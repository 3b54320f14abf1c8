package telemetry

import (
	"context"
	"errors"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	semconv "go.opentelemetry.io/otel/semconv/v1.41.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/elumenta/elumenta"
)

// Ledger makes a span of each reservation and each settlement.
func (t *Telemetry) Ledger(l elumenta.Ledger) elumenta.Ledger {
	if t == nil {
		return l
	}
	return &ledger{l, t}
}

type ledger struct {
	elumenta.Ledger
	t *Telemetry
}

// Reserve reserves, and notes which generation the spans that follow belong to.
func (l *ledger) Reserve(ctx context.Context, r elumenta.Reservation) (elumenta.Grant, error) {
	if known, ok := ctx.Value(requestKey{}).(*request); ok {
		known.attributes = []attribute.KeyValue{keyGeneration.String(string(r.Generation)), keyModel.String(r.Model)}
		if r.Assistant != "" {
			known.attributes = append(known.attributes, keyAssistant.String(string(r.Assistant)), keyVersion.Int(r.Version))
		}
	}
	ctx, span := l.t.child(ctx, "reserve", trace.SpanKindInternal)
	grant, err := l.Ledger.Reserve(ctx, r)
	end(span, err)
	return grant, err
}

// Settle settles.
func (l *ledger) Settle(ctx context.Context, account elumenta.AccountID, id elumenta.GenerationID, o elumenta.Outcome) (elumenta.Settled, error) {
	ctx, span := l.t.child(ctx, "settle", trace.SpanKindInternal)
	settled, err := l.Ledger.Settle(ctx, account, id, o)
	if span != nil && err == nil {
		state := "charged"
		if settled.State != elumenta.Charged {
			state = "given_back"
		}
		span.SetAttributes(keyState.String(state))
	}
	end(span, err)
	return settled, err
}

func end(span trace.Span, err error) {
	if span == nil {
		return
	}
	if err != nil {
		failure := "stale"
		if _, stale := errors.AsType[*elumenta.StaleError](err); !stale {
			failure = string(elumenta.AsError(err).Code)
		}
		span.SetAttributes(semconv.ErrorTypeKey.String(failure))
		span.SetStatus(codes.Error, "")
	}
	span.End()
}
