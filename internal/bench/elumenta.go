package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/internal/postgres"
)

const (
	model             = "bench"
	payingPlan        = "paying" // with a balance that no run spends
	instructionsBytes = 4 << 10
)

// elumentaServer is bin/elumenta with a database of its own.
type elumentaServer struct {
	*process
	key   string
	start time.Duration // from the start of the program to its first answered generation
}

// installation is where an elumenta keeps its things, so that it can be started again.
type installation struct {
	binary, dir, key, database string
	pinned                     bool
	env                        []string // of the server
}

// install makes a place for an elumenta with an empty database.
func (b *bench) install(ctx context.Context, name string) (*installation, error) {
	dir := filepath.Join(b.dir, name)
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	in := &installation{binary: b.binary, dir: dir, key: elumenta.NewKeySecret().Reveal(), pinned: b.pinned}
	if b.collector != nil {
		in.env = b.collector.env()
	}
	in.database = "sqlite:" + in.path("elumenta.db")
	if b.cluster != nil {
		var err error
		if in.database, err = newDatabase(ctx, b.cluster, name); err != nil {
			return nil, fmt.Errorf("make a database: %w", err)
		}
	}
	return in, os.WriteFile(in.path("elumenta.toml"), []byte(configuration(b.provider.addr())), 0o600)
}

func newDatabase(ctx context.Context, cluster *postgres.Cluster, name string) (string, error) {
	conn, err := pgx.Connect(ctx, cluster.URL("postgres"))
	if err != nil {
		return "", err
	}
	_, err = conn.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize())
	return cluster.URL(name), errors.Join(err, conn.Close(ctx))
}

func (in *installation) path(name string) string     { return filepath.Join(in.dir, name) }
func (in *installation) generate(body string) []byte { return generate(in.key, body) }

func generate(key, body string) []byte {
	return request("POST", "/api/v2/generate", key, []byte(body))
}

// serve starts the server and waits for its first answer, which needs no assistant.
func (in *installation) serve(ctx context.Context) (*elumentaServer, error) {
	addr, err := freeAddr(ctx)
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	p, err := spawn(ctx, in.pinned, in.path("server.log"), addr, append([]string{"ELUMENTA_BOOTSTRAP_KEY=" + in.key}, in.env...),
		in.binary, "serve", "--addr", addr, "--database", in.database, "--config", in.path("elumenta.toml"))
	if err != nil {
		return nil, err
	}
	s := &elumentaServer{process: p, key: in.key}
	if err := p.answered(ctx, in.generate(`{"model":"`+model+`","prompt":"Hello"}`)); err != nil {
		log, _ := os.ReadFile(in.path("server.log"))
		return nil, errors.Join(err, p.stop(), fmt.Errorf("its log ends:\n%s", log[max(0, len(log)-2000):]))
	}
	s.start = time.Since(begin)
	return s, nil
}

// command runs another of the program's commands on the same database and returns what it prints.
func (in *installation) command(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, in.binary, append(args, "--database", in.database, "--config", in.path("elumenta.toml"))...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	return strings.TrimSpace(string(out)), err
}

// account makes another account and returns a key of it.
func (in *installation) account(ctx context.Context, plan string) (string, error) {
	id, err := in.command(ctx, "accounts", "create", "--name", "Bench", "--plan", plan)
	if err != nil {
		return "", fmt.Errorf("create an account: %w", err)
	}
	key, err := in.command(ctx, "keys", "create", "--account", id, "--name", "bench")
	if err != nil {
		return "", fmt.Errorf("create a key: %w", err)
	}
	return key, nil
}

// assistantBody is an assistant of 4 KiB of instructions.
func assistantBody(name string) []byte {
	const sentence = "You answer for the support desk of a shop: short, friendly, and only from what the customer has told you. "
	text := strings.Repeat(sentence, instructionsBytes/len(sentence)+1)[:instructionsBytes]
	body, _ := json.Marshal(map[string]any{"name": name, "model": model, "instructions": text, "description": "Made by the benchmark"})
	return body
}

// createAssistant returns the new assistant's id.
func createAssistant(ctx context.Context, addr, key string) (string, error) {
	answer, err := once(ctx, addr, request("POST", "/api/v2/assistants", key, assistantBody("Support")))
	if err != nil {
		return "", fmt.Errorf("create the assistant: %w", err)
	}
	return idOf(answer)
}

func idOf(answer []byte) (string, error) {
	var created struct {
		ID string `json:"id"`
	}
	if err := json.Unmarshal(answer, &created); err != nil || created.ID == "" {
		return "", fmt.Errorf("no id in %.200s", answer)
	}
	return created.ID, nil
}

func generateBody(assistant string, stream bool) string {
	return fmt.Sprintf(`{"assistant_id":%q,"messages":[{"role":"user","content":"Where is my parcel?"}],"stream":%t}`, assistant, stream)
}

// configuration makes the fake provider's two models known.
func configuration(upstream string) string {
	return fmt.Sprintf(`[log]
format = "json"
level = "info"

[[providers]]
name = "fake"
format = "chat"
base_url = "http://%s/v1"
api_key = "sk-bench"

[[models]]
slug = %q
provider = "fake"
token_cost = 1

[[models]]
slug = %q
provider = "fake"

[[plans]]
name = %q
monthly_tokens = 1000000000000
`, upstream, model, slowModel, payingPlan)
}
