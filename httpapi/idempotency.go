package httpapi

import "github.com/elumenta/elumenta"

// idempotency hashes a request's Idempotency-Key and body, nil without a key. A malformed key is a field error.
func (a *API) idempotency(c *call, kind string, r *reader) *elumenta.Idempotency {
	values := c.request.Header.Values("Idempotency-Key")
	if len(values) == 0 {
		return nil
	}
	if len(values) > 1 || !elumenta.ValidIdempotencyKey(values[0]) {
		at := fieldPath{name: "Idempotency-Key"}
		r.bad(&at, "must have 1 to %d visible ASCII characters", elumenta.MaxIdempotencyKey)
		return nil
	}
	return a.Secret.Idempotency(c.caller.Account.ID, kind, values[0], c.body)
}

func replayedHeader(replayed bool) string {
	if replayed {
		return "true"
	}
	return ""
}
