package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/elumenta/elumenta"
)

// server is the program with a database of its own.
type server struct {
	cmd      *exec.Cmd
	url, key string
	// Ids of assistants; starter is one of the marketplace.
	reviewer, support, starter string
}

func serve(ctx context.Context, binary, dir, models string) (*server, error) {
	l, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	addr := l.Addr().String()
	_ = l.Close()
	s := &server{url: "http://" + addr, key: elumenta.NewKeySecret().Reveal()}
	s.cmd = exec.CommandContext(ctx, binary, "serve", "--addr", addr, "--database", "sqlite:"+filepath.Join(dir, "elumenta.db"), "--log-level", "warn")
	s.cmd.Env = append(os.Environ(), "ELUMENTA_BOOTSTRAP_KEY="+s.key, "DEEPSEEK_API_KEY=none", "DEEPSEEK_BASE_URL="+models+"/v1")
	s.cmd.Stderr = os.Stderr
	s.cmd.Cancel = func() error { return s.cmd.Process.Signal(syscall.SIGTERM) }
	s.cmd.WaitDelay = 10 * time.Second
	if err := s.cmd.Start(); err != nil {
		return nil, err
	}
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		if err = s.call(ctx, http.MethodGet, "/user/me", nil, nil); err == nil {
			return s, nil
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			s.stop()
			return nil, fmt.Errorf("the server does not answer: %w", err)
		}
	}
}

func (s *server) stop() {
	_ = s.cmd.Process.Signal(syscall.SIGTERM)
	_ = s.cmd.Wait()
}

// call asks the API.
func (s *server) call(ctx context.Context, method, path string, body, into any) error {
	var reader io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return err
		}
		reader = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, s.url+"/api/v2"+path, reader)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "Bearer "+s.key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode/100 != 2 {
		return fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, b)
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(b, into)
}

type object = map[string]any

// furnish makes what the pictures show.
func (s *server) furnish(ctx context.Context) error {
	if err := s.call(ctx, http.MethodPatch, "/user/me", object{"display_name": "Ada"}, nil); err != nil {
		return err
	}
	var made struct{ ID string }
	if err := s.call(ctx, http.MethodPost, "/assistants", object{
		"name": "Shop support", "model": model, "category": "support", "temperature": 0.3,
		"description":  "Answers customers about orders, parcels and returns, and hands over to a person when it should.",
		"instructions": supportInstructions,
		"variables": []object{
			{"name": "shop", "description": "what the shop is called", "default": "Northwind"},
			{"name": "days", "description": "how long one may return things", "default": "30"},
		},
	}, &made); err != nil {
		return err
	}
	s.support = made.ID
	if err := s.call(ctx, http.MethodPost, "/assistants", object{
		"name": "Code review", "model": model, "category": "programming", "instructions": reviewInstructions,
		"description": "Reads a change to Go code and names what is wrong with it, the worst first.",
	}, &made); err != nil {
		return err
	}
	s.reviewer = made.ID
	if err := s.call(ctx, http.MethodPut, "/assistants/"+made.ID, object{
		"instructions": reviewInstructions + terse, "note": "shorter answers, with the fixed code",
	}, nil); err != nil {
		return err
	}
	var published struct{ Items []struct{ ID string } }
	if err := s.call(ctx, http.MethodGet, "/assistants/marketplace?q=tutor", nil, &published); err != nil {
		return err
	}
	if len(published.Items) == 0 {
		return errors.New("no starter is found")
	}
	s.starter = published.Items[0].ID
	return nil
}
