package openai

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/provider/wire"
)

// problem is a provider's error object, in the forms that hosts have for it. Its message is looked at, to tell errors
// apart that have no code of their own, and goes no further.
type problem struct {
	code, kind, message string
	flagged             bool // a moderation's verdict came along
}

// read takes the value of an "error" member: an object or a string.
func (p *problem) read(j *wire.JSON) {
	if j.Kind() != '{' {
		p.message = j.Scalar()
		return
	}
	j.Object(func(key []byte) {
		switch string(key) {
		case "code":
			p.code = j.Scalar()
		case "type":
			p.kind = j.Scalar()
		case "message":
			p.message = j.Scalar()
		case "metadata": // OpenRouter: what a moderation flagged
			p.metadata(j)
		default:
			j.Skip()
		}
	})
}

func (p *problem) metadata(j *wire.JSON) {
	if j.Kind() != '{' {
		j.Skip()
		return
	}
	j.Object(func(key []byte) {
		p.flagged = p.flagged || string(key) == "flagged_input"
		j.Skip()
	})
}

// classifyBody reads the body of an error response: {"error": {…}}, {"error": "…", "code": "…"} (xAI, Ollama),
// {"object": "error", "message": "…"} (vLLM).
func classifyBody(status int, body []byte) wire.Fault {
	var j wire.JSON
	j.Reset(body)
	if j.Kind() != '{' {
		return wire.Fault{}
	}
	var p problem
	j.Object(func(key []byte) {
		switch string(key) {
		case "error":
			p.read(&j)
		case "code":
			p.code = j.Scalar()
		case "type":
			p.kind = j.Scalar()
		case "message":
			p.message = j.Scalar()
		default:
			j.Skip()
		}
	})
	return p.fault(status)
}

// event makes a fault of an error within a stream or a whole answer, where no HTTP status tells the kind: hosts put one
// in the code instead.
func (p *problem) event() wire.Fault {
	status, err := strconv.Atoi(p.code)
	if err != nil || status < 400 || status >= 600 {
		return p.fault(0)
	}
	f := p.fault(status)
	if f.Kind == 0 {
		f.Kind, f.OneModel = wire.KindOfStatus(status), status == http.StatusForbidden
	}
	return f
}

// fault knows the codes that mean more than their HTTP status
// (https://platform.openai.com/docs/guides/error-codes, and the error codes of the Responses API). The status is 0 where there is none.
func (p *problem) fault(status int) wire.Fault {
	code := p.code
	if code == "" || code == "400" {
		code = p.kind
	}
	switch code {
	case "context_length_exceeded", "exceed_context_size_error", "string_above_max_length":
		return rejected(elumenta.RejectContext)
	case "content_filter", "content_policy_violation", "image_content_policy_violation", "invalid_prompt", "moderation_blocked",
		"bio_policy", "cyber_policy", "misalignment_policy_violation":
		return rejected(elumenta.RejectContent)
	case "invalid_encrypted_content":
		return rejected(elumenta.RejectState)
	case "insufficient_quota", "billing_hard_limit_reached", "insufficient_balance":
		return wire.Fault{Kind: elumenta.KindAuth, Message: "our account with the provider has no credit left"}
	case "invalid_api_key", "account_deactivated", "authentication_error":
		return wire.Fault{Kind: elumenta.KindAuth}
	case "rate_limit_exceeded", "rate_limit_error":
		return wire.Fault{Kind: elumenta.KindRateLimited}
	case "overloaded", "overloaded_error", "server_is_overloaded", "slow_down", "service_unavailable", "engine_overloaded":
		return wire.Fault{Kind: elumenta.KindOverloaded}
	case "model_not_found":
		return wire.Fault{Kind: elumenta.KindFailed, Message: "the provider does not have this model for our account"}
	}
	if p.flagged {
		return rejected(elumenta.RejectContent)
	}
	if strings.Contains(code, "image") || code == "failed_to_download_image" {
		return rejected(elumenta.RejectImage)
	}
	if k := wire.KindOfStatus(status); status != 0 && (k == elumenta.KindRateLimited || k == elumenta.KindOverloaded) {
		return wire.Fault{} // "Too many tokens, please wait", says Bedrock
	}
	return p.guess()
}

// guess tells by the text what has no code of its own at hosts other than OpenAI.
func (p *problem) guess() wire.Fault {
	text := strings.ToLower(p.message)
	for _, s := range []string{"context length", "context size", "context window", "prompt is too long", "too many tokens"} {
		if strings.Contains(text, s) {
			return rejected(elumenta.RejectContext)
		}
	}
	for _, s := range []string{"usage guidelines", "content policy", "flagged by", "content exists risk"} {
		if strings.Contains(text, s) {
			return rejected(elumenta.RejectContent)
		}
	}
	return wire.Fault{}
}

func rejected(reason elumenta.RejectReason) wire.Fault {
	f := wire.Fault{Kind: elumenta.KindRejected, Reason: reason}
	switch reason {
	case elumenta.RejectContext:
		f.Message = "the input is longer than the model's context"
	case elumenta.RejectContent:
		f.Message = "the provider's content policy refused this input"
	case elumenta.RejectImage:
		f.Message = "the provider could not use an image of this input"
	case elumenta.RejectState:
		f.Message = "the provider does not take the state of an earlier answer"
	}
	return f
}
