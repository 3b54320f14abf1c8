package anthropic

import (
	"strings"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/wire"
)

// apiError is what the API says of a failure (https://platform.claude.com/docs/en/api/errors). Message is read to tell
// failures apart and goes nowhere.
type apiError struct {
	Type    string        `json:"type"`
	Message elumenta.Text `json:"message"`
}

// classify reads the body of a failed request.
func classify(status int, body []byte) wire.Fault {
	var envelope struct {
		Error apiError `json:"error"`
	}
	if unmarshal(body, &envelope) != nil {
		return wire.Fault{}
	}
	return envelope.Error.fault(status)
}

// fault maps an error's type. The status is zero for one that came in a stream.
func (e apiError) fault(status int) wire.Fault {
	switch e.Type {
	case "invalid_request_error":
		return e.rejected(status)
	case "request_too_large":
		return wire.Fault{Kind: elumenta.KindRejected, Reason: elumenta.RejectContext, Message: "the request is larger than the provider takes"}
	case "authentication_error", "permission_error", "billing_error":
		return wire.Fault{Kind: elumenta.KindAuth, OneModel: e.Type == "permission_error"}
	case "rate_limit_error":
		return wire.Fault{Kind: elumenta.KindRateLimited}
	case "overloaded_error":
		return wire.Fault{Kind: elumenta.KindOverloaded}
	case "timeout_error":
		return wire.Fault{Kind: elumenta.KindTimeout}
	case "api_error":
		return wire.Fault{Kind: elumenta.KindFailed}
	case "not_found_error":
		return wire.Fault{Kind: elumenta.KindFailed, Message: "the provider does not know this model or address"}
	}
	return wire.Fault{}
}

// rejected tells refused inputs apart by the provider's sentence: it has no code for them. An account without credit is
// told the same way.
func (e apiError) rejected(status int) wire.Fault {
	if status != 0 && wire.KindOfStatus(status) != elumenta.KindRejected {
		return wire.Fault{} // the type is used for other statuses too
	}
	text := strings.ToLower(string(e.Message))
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(text, w) {
				return true
			}
		}
		return false
	}
	fault := wire.Fault{Kind: elumenta.KindRejected, Reason: elumenta.RejectOther}
	switch {
	case has("credit balance", "usage limits"):
		return wire.Fault{Kind: elumenta.KindAuth}
	case has("prompt is too long", "exceed context limit", "context window"):
		fault.Reason, fault.Message = elumenta.RejectContext, "the input is longer than the model's context"
	case has("content filtering"):
		fault.Reason, fault.Message = elumenta.RejectContent, "the provider refused the content"
	case has("`signature` in `thinking`", "invalid signature in thinking", "`data` in `redacted_thinking`"):
		fault.Reason, fault.Message = elumenta.RejectState, "the provider does not take the state of an earlier answer"
	case has("image"):
		fault.Reason, fault.Message = elumenta.RejectImage, "the provider could not take an image"
	}
	return fault
}
