package gemini

import (
	"strings"
	"time"

	"github.com/go-json-experiment/json/jsontext"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/wire"
)

// maxRetryDelay bounds what the API may ask for.
const maxRetryDelay = 24 * time.Hour

// status is a google.rpc.Status (https://google.aip.dev/193). Message is read to tell failures apart and goes nowhere.
type status struct {
	Code    int           `json:"code"`
	Message elumenta.Text `json:"message"`
	Status  string        `json:"status"`
	Details []struct {
		Reason     string `json:"reason"`     // of google.rpc.ErrorInfo
		RetryDelay string `json:"retryDelay"` // of google.rpc.RetryInfo
	} `json:"details"`
}

// classify reads the body of a failed request: an error, or an array of one.
func classify(httpStatus int, body []byte) wire.Fault {
	type envelope struct {
		Error status `json:"error"`
	}
	var list []envelope
	if jsontext.Value(body).Kind() != '[' {
		list = make([]envelope, 1)
		if unmarshal(body, &list[0]) != nil {
			return wire.Fault{}
		}
	} else if unmarshal(body, &list) != nil || len(list) == 0 {
		return wire.Fault{}
	}
	return list[0].Error.fault(httpStatus)
}

// fault maps a status. httpStatus is zero for one that came in a stream: then its own code stands for it.
func (s *status) fault(httpStatus int) wire.Fault {
	switch s.Status {
	case "INVALID_ARGUMENT", "OUT_OF_RANGE":
		return s.rejected()
	case "FAILED_PRECONDITION", "UNAUTHENTICATED", "PERMISSION_DENIED": // the first: no billing, or not in this country
		return wire.Fault{Kind: elumenta.KindAuth, OneModel: s.Status == "PERMISSION_DENIED"}
	case "RESOURCE_EXHAUSTED":
		return wire.Fault{Kind: elumenta.KindRateLimited, RetryAfter: s.retryDelay()}
	case "UNAVAILABLE":
		return wire.Fault{Kind: elumenta.KindOverloaded, RetryAfter: s.retryDelay()}
	case "DEADLINE_EXCEEDED":
		return wire.Fault{Kind: elumenta.KindTimeout}
	case "NOT_FOUND":
		return wire.Fault{Kind: elumenta.KindFailed, Message: "the provider does not know this model or address"}
	}
	if httpStatus == 0 && s.Code >= 400 {
		return wire.Fault{Kind: wire.KindOfStatus(s.Code)}
	}
	return wire.Fault{}
}

// rejected tells refused inputs apart by the provider's sentence: it has no code for them, but for a bad key.
func (s *status) rejected() wire.Fault {
	for i := range s.Details {
		if strings.HasPrefix(s.Details[i].Reason, "API_KEY_") {
			return wire.Fault{Kind: elumenta.KindAuth}
		}
	}
	text := strings.ToLower(string(s.Message))
	fault := wire.Fault{Kind: elumenta.KindRejected, Reason: elumenta.RejectOther}
	switch {
	case strings.HasPrefix(text, "api key"):
		return wire.Fault{Kind: elumenta.KindAuth}
	case strings.Contains(text, "token count"):
		fault.Reason, fault.Message = elumenta.RejectContext, "the input is longer than the model's context"
	case strings.Contains(text, "thought signature is not valid"), strings.Contains(text, "corrupted thought signature"):
		fault.Reason, fault.Message = elumenta.RejectState, "the provider does not take the state of an earlier answer"
	case strings.Contains(text, "image"):
		fault.Reason, fault.Message = elumenta.RejectImage, "the provider could not take an image"
	}
	return fault
}

func (s *status) retryDelay() time.Duration {
	for i := range s.Details {
		if d, err := time.ParseDuration(s.Details[i].RetryDelay); err == nil {
			return min(max(d, 0), maxRetryDelay)
		}
	}
	return 0
}
