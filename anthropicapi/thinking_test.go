package anthropicapi_test

import (
	"testing"

	"github.com/anthropics/anthropic-sdk-go"

	"github.com/elumenta/elumenta"
	upstream "github.com/elumenta/elumenta/provider/anthropic"
	"github.com/elumenta/elumenta/provider/gemini"
	"github.com/elumenta/elumenta/provider/openai"
	"github.com/elumenta/elumenta/provider/providertest"
)

// A model that thinks between calls of tools gets its own state back, whichever format its provider speaks.
func TestStateComesBack(t *testing.T) {
	for format, provider := range map[string]elumenta.Provider{"anthropic": upstream.Provider{}, "openai": openai.Responses{}, "gemini": gemini.Provider{}} {
		for name, ask := range map[string]func(*testing.T, *anthropic.Client, anthropic.MessageNewParams) *anthropic.Message{"whole": whole, "stream": accumulated} {
			t.Run(format+" "+name, func(t *testing.T) {
				thinker := providertest.NewThinker(t, format)
				s := newServer(t, setup{provider: provider, target: &thinker.Target})
				c := s.client()
				p := hello("scripted")
				p.MaxTokens = 4096
				p.Thinking = anthropic.ThinkingConfigParamOfEnabled(2048)
				for _, tool := range []string{"weather", "clock"} {
					p.Tools = append(p.Tools, anthropic.ToolUnionParamOfTool(anthropic.ToolInputSchemaParam{Properties: map[string]any{}}, tool))
				}
				shown := ""
				for range 4 {
					m := ask(t, &c, p)
					p.Messages = append(p.Messages, m.ToParam())
					var next []anthropic.ContentBlockParamUnion
					for _, block := range m.Content {
						switch block.Type {
						case "tool_use":
							next = append(next, anthropic.NewToolResultBlock(block.ID, "18", false))
						case "thinking":
							shown += block.Thinking + "|"
						}
					}
					if next == nil {
						next = append(next, anthropic.NewTextBlock("Thanks"))
					}
					p.Messages = append(p.Messages, anthropic.NewUserMessage(next...))
				}
				thinker.Check(t)
				want := map[string]string{"anthropic": "I \"should\"\n look: é||Done.|", "openai": "I \"should\"\n look: é\n\nYes.|", "gemini": "I should look.|"}[format]
				if shown != want {
					t.Errorf("it shows %q of what the model thinks; want %q", shown, want)
				}
			})
		}
	}
}

func accumulated(t *testing.T, c *anthropic.Client, p anthropic.MessageNewParams) *anthropic.Message {
	t.Helper()
	return stream(t, c, p)
}

func whole(t *testing.T, c *anthropic.Client, p anthropic.MessageNewParams) *anthropic.Message {
	t.Helper()
	m, err := c.Messages.New(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// Without tools and without thinking being asked for, the first block is the text.
func TestThinkingIsNotShownUnasked(t *testing.T) {
	thinker := providertest.NewThinker(t, "anthropic")
	s := newServer(t, setup{provider: upstream.Provider{}, target: &thinker.Target})
	c := s.client()
	for _, ask := range []func(*testing.T, *anthropic.Client, anthropic.MessageNewParams) *anthropic.Message{whole, accumulated} {
		if m := ask(t, &c, hello("scripted")); m.Content[0].Type != "text" && m.Content[0].Type != "tool_use" {
			t.Errorf("the answer begins with %s", m.Content[0].RawJSON())
		}
	}
}
