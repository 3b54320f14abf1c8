package openai

import (
	"crypto/sha256"
	"encoding/base32"
	"strings"

	"github.com/elumenta/elumenta"
)

// callIDs is what ids of tool calls a host takes. Histories that began at another provider hold longer ones, such as vLLM's chatcmpl-tool-….
type callIDs int

const (
	// chatCallIDs are of at most 40 characters: OpenAI's Chat Completions refuses longer ones (string_above_max_length).
	chatCallIDs callIDs = 40
	// responsesCallIDs are of at most 64, by OpenAI's Responses.
	responsesCallIDs callIDs = 64
	// mistralCallIDs are nine letters and digits, by Mistral's API (invalid_function_call, 3280) and the chat templates of its models.
	mistralCallIDs callIDs = 9
)

// atMistral reports whether the host is Mistral's own, which refuses what it does not know (422, extra_forbidden): stream_options, without
// which it counts all the same, and reasoning_content.
func atMistral(t elumenta.Target) bool { return strings.Contains(t.BaseURL, "://api.mistral.ai") }

// atDeepSeek reports whether the host is DeepSeek's own, which with tools refuses (400) a conversation whose assistant's messages since the
// user's last one do not all have reasoning_content; an empty one will do (https://api-docs.deepseek.com/guides/thinking_mode).
func atDeepSeek(t elumenta.Target) bool { return strings.Contains(t.BaseURL, "://api.deepseek.com") }

// chatCallIDsOf are those that a model takes, wherever it runs: the names of all of Mistral's end in -stral or -xtral.
func chatCallIDsOf(model string) callIDs {
	if name := strings.ToLower(model); strings.Contains(name, "stral") || strings.Contains(name, "xtral") {
		return mistralCallIDs
	}
	return chatCallIDs
}

// fit returns an id as it is if the host takes it, else one that is the same in every request, so that prompt caches hold.
func (ids callIDs) fit(id string) string {
	if ids == mistralCallIDs {
		if len(id) == int(mistralCallIDs) && strings.IndexFunc(id, isNoLetterOrDigit) < 0 {
			return id
		}
		return digest(id)[:mistralCallIDs]
	}
	if len(id) <= int(ids) {
		return id
	}
	return "call_" + digest(id)[:26]
}

func isNoLetterOrDigit(r rune) bool {
	return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9')
}

// digest is 52 letters and digits.
func digest(id string) string {
	sum := sha256.Sum256([]byte(id))
	return base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(sum[:])
}
