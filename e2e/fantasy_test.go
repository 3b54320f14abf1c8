package e2e_test

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"
)

// charmbracelet's fantasy works with an assistant's id as its model: over Chat Completions with its own and its compatible provider, Responses
// and Messages. Its test is in a module of its own, internal/clients/fantasy.
func TestFantasy(t *testing.T) {
	t.Parallel()
	s, id := startAgent(t)
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "go", "test", "-count=1", "-mod=readonly", ".")
	cmd.Dir = "../internal/clients/fantasy"
	cmd.Env = append(os.Environ(), "GOWORK=off", "BASE_URL="+s.url, "API_KEY="+s.key, "ASSISTANT="+id)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
}
