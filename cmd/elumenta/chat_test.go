package main

import (
	"bytes"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"
)

func TestChatThroughAPipe(t *testing.T) {
	s := start(t, "", nil)
	id := must(t, s.env(), "", "assistants", "create", "--name", "Pirate", "--model", "sandbox", "--instructions", "You are a pirate.")
	for _, target := range []string{id, id + "@1", "sandbox"} {
		if got := must(t, s.env(), "two\nlines\n", "chat", target); !strings.Contains(got, "two\nlines") || strings.Contains(got, "\x1b") {
			t.Errorf("%s: %q", target, got)
		}
	}
	for stdin, c := range map[string]struct {
		code int
		want string
	}{
		"":                  {exitUsage, "no question"},
		" \n":               {exitUsage, "no question"},
		"sandbox:error 429": {exitFailed, "request req_"},
		"sandbox:cut":       {exitFailed, "request req_"},
	} {
		if r := invoke(t, s.env(), stdin, "chat", "sandbox"); r.code != c.code || !strings.Contains(r.err, c.want) {
			t.Errorf("%q: %+v", stdin, r)
		}
	}
	reviewer := s.api("POST", assistantsPath, map[string]any{"name": "Reviewer", "model": "sandbox", "instructions": "Explain {{code}}.", "variables": []map[string]any{{"name": "code"}}})
	must(t, s.env(), "x", "chat", reviewer.ID, "--var", "code=a; b=2")
	if r := invoke(t, s.env(), "x", "chat", "no-such-model"); r.code != exitRefused || !strings.Contains(r.err, "model") {
		t.Errorf("%+v", r)
	}
}

// screen is a program on a terminal.
type screen struct {
	t    *testing.T
	tty  *os.File
	read chan []byte
	seen bytes.Buffer
	cmd  *exec.Cmd
}

func onTerminal(t *testing.T, env []string, args ...string) *screen {
	t.Helper()
	cmd := programCommand(t, append(env, "TERM=xterm"), args...)
	tty, err := pty.StartWithSize(cmd, &pty.Winsize{Rows: 24, Cols: 200})
	if err != nil {
		t.Fatal(err)
	}
	s := &screen{t: t, tty: tty, read: make(chan []byte), cmd: cmd}
	go func() {
		defer close(s.read)
		for {
			b := make([]byte, 4096)
			n, err := tty.Read(b)
			if n > 0 {
				s.read <- b[:n]
			}
			if err != nil {
				return // EIO: the program has closed its side
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		for range s.read {
			continue // until the reader has ended
		}
		_ = cmd.Wait() // a second call returns an error at once
		_ = tty.Close()
	})
	return s
}

// expect reads on until text was shown and forgets what was shown up to there.
func (s *screen) expect(text string) {
	s.t.Helper()
	limit := time.NewTimer(testLimit)
	defer limit.Stop()
	for {
		if i := strings.Index(s.seen.String(), text); i >= 0 {
			s.seen.Next(i + len(text))
			return
		}
		select {
		case b, ok := <-s.read:
			if !ok {
				s.t.Fatalf("ended without showing %q: %q", text, s.seen.String())
			}
			s.seen.Write(b)
		case <-limit.C:
			s.t.Fatalf("does not show %q: %q", text, s.seen.String())
		}
	}
}

func (s *screen) write(text string) {
	s.t.Helper()
	if _, err := s.tty.WriteString(text); err != nil {
		s.t.Fatal(err)
	}
}

// end reads until the program has gone, and checks its exit code.
func (s *screen) end(code int) {
	s.t.Helper()
	for b := range s.read {
		s.seen.Write(b)
	}
	_ = s.cmd.Wait() // the exit code says it
	if got := s.cmd.ProcessState.ExitCode(); got != code {
		s.t.Errorf("ended with %d, want %d: %q", got, code, s.seen.String())
	}
}

func TestChatOnATerminal(t *testing.T) {
	u := newUpstream(t)
	s := start(t, "", u.env())
	screen := onTerminal(t, s.env(), "chat", "deepseek-v3")
	const prompt = "> "
	screen.expect("DeepSeek V3. Ctrl-C stops an answer")
	screen.expect(prompt)

	u.release <- struct{}{}
	screen.write("Hello\r")
	screen.expect("first half, second half")
	<-u.arrived
	screen.expect(prompt)

	// Ctrl-C stops the answer, and the program goes on.
	screen.write("Again\r")
	screen.expect("first half,")
	<-u.arrived
	screen.write("\x03")
	screen.expect("stopped")
	screen.expect(prompt)

	// On the line it throws the line away.
	screen.write("half a lin\x03")
	screen.expect("Ctrl-D or /exit ends")
	screen.expect(prompt)

	screen.write("/usage\r")
	screen.expect("Altogether:")
	screen.expect(prompt)
	screen.write("/reset\r")
	screen.expect("begins anew")
	screen.expect(prompt)
	screen.write("\x04")
	screen.end(exitOK)
}

func TestChatOnATerminalWithoutColours(t *testing.T) {
	s := start(t, "", nil)
	screen := onTerminal(t, append(s.env(), "NO_COLOR=1"), "chat", "sandbox")
	screen.expect("> ")
	if strings.Contains(screen.seen.String(), "\x1b[1m") {
		t.Error("colours in spite of NO_COLOR")
	}
	screen.write("sandbox:error 529\r")
	screen.expect("request req_")
	screen.expect("> ")
	screen.write("\x1b[200~one\rtwo\x1b[201~\r") // pasted lines are one message
	screen.expect("Your last message was: one\r\ntwo")
	screen.expect("> ")
	screen.write("/exit\r")
	screen.end(exitOK)
}

func TestDeleteAsksOnATerminal(t *testing.T) {
	s := start(t, "", nil)
	id := must(t, s.env(), "", "assistants", "create", "--name", "X", "--model", "sandbox", "--instructions", "x")
	screen := onTerminal(t, s.env(), "assistants", "delete", id)
	screen.expect(`Delete "X" (` + id + `) with its one version? [y/N] `)
	screen.write("n\r")
	screen.expect("nothing was done")
	screen.end(exitFailed)
	screen = onTerminal(t, s.env(), "assistants", "delete", id)
	screen.expect("[y/N] ")
	screen.write("y\r")
	screen.end(exitOK)
	if r := invoke(t, s.env(), "", "assistants", "show", id); r.code != exitRefused {
		t.Errorf("%+v", r)
	}
}
