package client_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/elumenta/elumenta/client"
)

// connect returns a client of the running program that the end-to-end tests of the repository name.
func connect(t *testing.T) *client.Client {
	t.Helper()
	url := os.Getenv("BASE_URL")
	if url == "" {
		t.Skip("BASE_URL is not set: TestOwnClients in e2e runs this against the program")
	}
	return client.New(url, os.Getenv("API_KEY"))
}

func create(t *testing.T, c *client.Client, name string) *client.Assistant {
	t.Helper()
	a, err := c.CreateAssistant(t.Context(), client.CreateAssistant{
		Name: name, Model: "sandbox", Instructions: "You help {{who}}.",
		Variables: []client.NewVariable{{Name: "who", Default: client.Ptr("everyone")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestAssistants(t *testing.T) {
	c := connect(t)
	a := create(t, c, "Go bot")
	if a.Version != 1 || a.Visibility != client.AssistantVisibilityPrivate || a.Temperature != nil || *a.Variables[0].Default != "everyone" {
		t.Errorf("created %+v", a)
	}
	changed, err := c.UpdateAssistant(t.Context(), a.ID, client.UpdateAssistant{
		Temperature: client.Set(0.0), Description: client.Set("Answers"), Note: client.Set("calmer"),
	}, client.IfMatch(1))
	if err != nil || changed.Version != 2 || changed.Temperature == nil || changed.Name != "Go bot" {
		t.Fatalf("changed %+v, %v", changed, err)
	}
	cleared, err := c.UpdateAssistant(t.Context(), a.ID, client.UpdateAssistant{Temperature: client.Null[float64]()})
	if err != nil || cleared.Temperature != nil || cleared.Description != "Answers" {
		t.Errorf("cleared %+v, %v", cleared, err)
	}
	_, err = c.UpdateAssistant(t.Context(), a.ID, client.UpdateAssistant{Name: "Late"}, client.IfMatch(1))
	wantCode(t, err, client.ErrorCodeVersionConflict, 412)
	got, err := c.GetAssistant(t.Context(), a.ID)
	if err != nil || got.Own == nil || got.Own.Version != 3 || got.Listing != nil {
		t.Errorf("got %+v, %v", got, err)
	}
	label, err := c.SetLabel(t.Context(), a.ID, "production", client.NewLabel{Version: 2})
	if err != nil || label.Split[0].Version != 2 {
		t.Errorf("label %+v, %v", label, err)
	}
	version, err := c.GetVersion(t.Context(), a.ID, 2)
	if err != nil || version.Note != "calmer" {
		t.Errorf("version %+v, %v", version, err)
	}
	if err := c.DeleteAssistant(t.Context(), a.ID); err != nil {
		t.Error(err)
	}
	_, err = c.GetAssistant(t.Context(), a.ID)
	wantCode(t, err, client.ErrorCodeNotFound, 404)
}

func TestPages(t *testing.T) {
	c := connect(t)
	var made []string
	for i := range 5 {
		made = append(made, create(t, c, fmt.Sprintf("Page %d", i)).ID)
	}
	page, err := c.ListAssistants(t.Context(), client.ListAssistantsParams{Q: "Page", Limit: 2})
	if err != nil || len(page.Items) != 2 || page.NextCursor == nil {
		t.Fatalf("a page: %+v, %v", page, err)
	}
	var ids []string
	for a, err := range c.ListAssistantsAll(t.Context(), client.ListAssistantsParams{Q: "Page", Limit: 2}) {
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, a.ID)
	}
	slices.Reverse(made) // newest first
	if !slices.Equal(ids, made) {
		t.Errorf("all pages have %q, want %q", ids, made)
	}
	for _, err := range c.ListAssistantsAll(t.Context(), client.ListAssistantsParams{Cursor: "nonsense"}) {
		wantCode(t, err, client.ErrorCodeBadRequest, 400)
	}
}

func TestGenerate(t *testing.T) {
	c := connect(t)
	a := create(t, c, "Answers")
	answer, err := c.Generate(t.Context(), client.GenerateRequest{
		AssistantID: a.ID, Variables: map[string]string{"who": "people"}, MaxTokens: 100,
		Messages: []client.Message{
			{Role: client.MessageRoleUser, Content: client.Say("Hello")},
			{Role: client.MessageRoleUser, Content: client.Content{Parts: []client.Part{client.NewTextPart("Look:"), client.NewImagePart("data:image/png;base64," + pixel)}}},
		},
	}, client.IdempotencyKey("go-1"))
	if err != nil || !strings.Contains(answer.Content, "Look: [image/png") || *answer.AssistantID != a.ID || answer.FinishReason != client.GenerationFinishReasonStop {
		t.Fatalf("answered %+v, %v", answer, err)
	}
	var text strings.Builder
	var kinds []string
	for event, err := range c.GenerateStream(t.Context(), client.GenerateRequest{AssistantID: a.ID, Prompt: "Hello"}) {
		if err != nil {
			t.Fatal(err)
		}
		switch e := event.(type) {
		case *client.GenerationStart:
			kinds = append(kinds, "start "+*e.AssistantID)
		case *client.ContentDelta:
			text.WriteString(e.Delta)
		case *client.GenerationEnd:
			kinds = append(kinds, "end "+string(e.FinishReason))
		}
	}
	if !strings.HasSuffix(text.String(), "Your last message was: Hello") || !slices.Equal(kinds, []string{"start " + a.ID, "end stop"}) {
		t.Errorf("streamed %q with %q", text.String(), kinds)
	}
}

const pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="

func TestErrors(t *testing.T) {
	c := connect(t)
	const unknown = "asst_01h455vb4pex5vsknk084sn02q"
	_, err := c.Generate(t.Context(), client.GenerateRequest{AssistantID: unknown, Prompt: "Hello"})
	wantCode(t, err, client.ErrorCodeNotFound, 404)
	if e := serverError(t, err); !strings.HasPrefix(e.RequestID, "req_") || e.Message == "" || e.RetryAfter != 0 {
		t.Errorf("the error is %+v", e)
	}
	_, err = c.Generate(t.Context(), client.GenerateRequest{Model: "sandbox", Prompt: "sandbox:error 429"})
	wantCode(t, err, client.ErrorCodeModelUnavailable, 503)
	if e := serverError(t, err); e.RetryAfter <= 0 {
		t.Errorf("Retry-After is %s", e.RetryAfter)
	}
	_, err = c.CreateAssistant(t.Context(), client.CreateAssistant{Name: "No model"})
	wantCode(t, err, client.ErrorCodeValidationError, 422)
	if e := serverError(t, err); e.Details["fields"] == nil {
		t.Errorf("details are %v", e.Details)
	}
	for event, err := range c.GenerateStream(t.Context(), client.GenerateRequest{AssistantID: unknown, Prompt: "Hello"}) {
		if event != nil {
			t.Errorf("an event: %v", event)
		}
		wantCode(t, err, client.ErrorCodeNotFound, 404)
	}
	var pieces int
	var last error
	for event, err := range c.GenerateStream(t.Context(), client.GenerateRequest{Model: "sandbox", Prompt: "sandbox:cut"}) {
		if _, ok := event.(*client.ContentDelta); ok {
			pieces++
		}
		last = err
	}
	wantCode(t, last, client.ErrorCodeProviderError, 200)
	if pieces == 0 {
		t.Error("no piece came before the stream broke off")
	}
}

func TestAbort(t *testing.T) {
	c := connect(t)
	pieces := 0
	for _, err := range c.GenerateStream(t.Context(), client.GenerateRequest{Model: "sandbox", Prompt: "sandbox:long 100000"}) {
		if err != nil {
			t.Fatal(err)
		}
		if pieces++; pieces == 3 {
			break
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for _, err := range c.GenerateStream(ctx, client.GenerateRequest{Model: "sandbox", Prompt: "sandbox:long 100000"}) {
		cancel()
		last = err
	}
	if !errors.Is(last, context.Canceled) {
		t.Errorf("a canceled stream ends with %v", last)
	}
	ctx, cancel = context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := c.Generate(ctx, client.GenerateRequest{Model: "sandbox", Prompt: "sandbox:slow 5m"}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a call past its deadline ends with %v", err)
	}
	if _, err := c.GetUser(t.Context()); err != nil {
		t.Error(err)
	}
}

func wantCode(t *testing.T, err error, code client.ErrorCode, status int) {
	t.Helper()
	if e := serverError(t, err); e.Code != code || e.Status != status {
		t.Errorf("%d %s, want %d %s", e.Status, e.Code, status, code)
	}
}

func serverError(t *testing.T, err error) *client.Error {
	t.Helper()
	var e *client.Error
	if !errors.As(err, &e) {
		t.Fatalf("%v is no error of the server", err)
	}
	return e
}
