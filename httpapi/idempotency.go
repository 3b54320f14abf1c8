package httpapi

import "github.com/elumenta/elumenta"

// idempotency hashes a request's Idempotency-Key and body, nil without a key. A malformed key is a field error.
func (a *API) idempotency(c *call, kind string, r *reader) *elumenta.Idempotency {
	key, ok := idempotencyKey(c, r)
	if !ok {
		return nil
	}
	return a.Secret.Idempotency(c.caller.Account.ID, kind, key, c.body)
}

func idempotencyKey(c *call, r *reader) (key string, ok bool) {
	values := c.request.Header.Values("Idempotency-Key")
	if len(values) == 0 {
		return "", false
	}
	if len(values) > 1 || !elumenta.ValidIdempotencyKey(values[0]) {
		at := fieldPath{name: "Idempotency-Key"}
		r.bad(&at, "must have 1 to %d visible ASCII characters", elumenta.MaxIdempotencyKey)
		return "", false
	}
	return values[0], true
}

func replayedHeader(replayed bool) string {
	if replayed {
		return "true"
	}
	return ""
}
