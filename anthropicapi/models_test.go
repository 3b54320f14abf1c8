package anthropicapi_test

import (
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/anthropics/anthropic-sdk-go"
	"github.com/anthropics/anthropic-sdk-go/option"
	"github.com/anthropics/anthropic-sdk-go/packages/param"

	"github.com/elumenta/elumenta"
)

func TestModels(t *testing.T) {
	s := newServer(t, setup{provider: says("Hi")})
	a, _, err := s.store.CreateAssistant(t.Context(), s.owner, elumenta.Fields{Name: "Pirate", Model: "scripted", Instructions: "You are a pirate."}, elumenta.Private, nil)
	if err != nil {
		t.Fatal(err)
	}
	c := s.client(option.WithMaxRetries(0))
	all := []string{"blind", "dear", "expert", "scripted", string(a.ID)}
	var ids []string
	pages := c.Models.ListAutoPaging(t.Context(), anthropic.ModelListParams{Limit: param.NewOpt[int64](2)})
	for pages.Next() {
		m := pages.Current()
		ids = append(ids, m.ID)
		if m.Type != "model" || m.CreatedAt.IsZero() || m.DisplayName == "" {
			t.Errorf("%s", m.RawJSON())
		}
	}
	if pages.Err() != nil || !slices.Equal(ids, all) {
		t.Errorf("%v lists %q; want %q", pages.Err(), ids, all)
	}
	before, err := c.Models.List(t.Context(), anthropic.ModelListParams{Limit: param.NewOpt[int64](2), BeforeID: param.NewOpt("scripted")})
	if err != nil || before.FirstID != "dear" || before.LastID != "expert" || !before.HasMore {
		t.Errorf("%v: %s", err, before.RawJSON())
	}
	whole, err := c.Models.List(t.Context(), anthropic.ModelListParams{})
	if err != nil || len(whole.Data) != len(all) || whole.HasMore || whole.Data[4].DisplayName != "Pirate" || strings.Contains(whole.RawJSON(), "You are") {
		t.Errorf("%v: %s", err, whole.RawJSON())
	}
	if m, err := c.Models.Get(t.Context(), string(a.ID), anthropic.ModelGetParams{}); err != nil || m.DisplayName != "Pirate" {
		t.Errorf("%v", err)
	}
	fails := func(name string, status int, kind string, err error) {
		t.Helper()
		e, ok := errors.AsType[*anthropic.Error](err)
		if !ok || e.StatusCode != status || !strings.Contains(e.RawJSON(), `"type":"`+kind+`"`) || !strings.HasPrefix(e.RequestID, "req_") {
			t.Errorf("%s: %v", name, err)
		}
	}
	_, err = c.Models.Get(t.Context(), "none", anthropic.ModelGetParams{})
	fails("unknown", http.StatusNotFound, "not_found_error", err)
	_, err = c.Models.List(t.Context(), anthropic.ModelListParams{AfterID: param.NewOpt("none")})
	fails("after an unknown one", http.StatusBadRequest, "invalid_request_error", err)
	_, err = c.Models.List(t.Context(), anthropic.ModelListParams{Limit: param.NewOpt[int64](1001)})
	fails("too many", http.StatusBadRequest, "invalid_request_error", err)
	stranger := s.client(option.WithAPIKey("elm_wrong"), option.WithMaxRetries(0))
	_, err = stranger.Models.List(t.Context(), anthropic.ModelListParams{})
	fails("a wrong key", http.StatusUnauthorized, "authentication_error", err)
}

func TestAbsentSaysWhy(t *testing.T) {
	s := newServer(t, setup{provider: says("Hi")})
	c := s.client(option.WithMaxRetries(0))
	_, err := c.Messages.CountTokens(t.Context(), anthropic.MessageCountTokensParams{Model: "scripted", Messages: hello("scripted").Messages})
	if e, ok := errors.AsType[*anthropic.Error](err); !ok || e.StatusCode != http.StatusNotFound || !strings.Contains(e.RawJSON(), `"error":{"type":"not_found_error","message":"not counted"}`) {
		t.Errorf("%v", err)
	}
}
