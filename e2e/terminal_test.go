package e2e_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
)

var signInLink = regexp.MustCompile(`(http://\S+/console/sign-in/link)#(\S+)`)

// The first start prints a link that signs in once where a person at a terminal reads it, and into nothing that may be kept.
func TestFirstStartAtATerminal(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	database := "sqlite:" + filepath.Join(t.TempDir(), "elumenta.db")
	text := atTerminal(ctx, t, database, func(shown string) {
		link := signInLink.FindStringSubmatch(shown)
		if link == nil {
			t.Fatalf("no link is shown:\n%s", shown)
		}
		client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }, Timeout: time.Minute}
		for _, want := range []int{http.StatusSeeOther, http.StatusUnauthorized} { // the second time it is spent
			resp, err := client.PostForm(link[1], url.Values{"token": {link[2]}})
			if err != nil {
				t.Fatal(err)
			}
			if _ = resp.Body.Close(); resp.StatusCode != want {
				t.Errorf("status %d, want %d", resp.StatusCode, want)
			}
		}
	})
	if strings.Count(text, "#") != 1 {
		t.Errorf("the terminal shows\n%s", text)
	}
	if again := atTerminal(ctx, t, database, func(string) {}); signInLink.MatchString(again) {
		t.Errorf("a later start shows a link:\n%s", again)
	}
	s := start(t, startOptions{})
	if out := s.log.String() + s.out.String(); signInLink.MatchString(out) {
		t.Errorf("a link is written where no terminal is:\n%s", out)
	}
}

// atTerminal serves with a terminal until serving has been said, and returns what it showed.
func atTerminal(ctx context.Context, t *testing.T, database string, serving func(shown string)) string {
	t.Helper()
	addr := freeAddr(t)
	cmd := exec.CommandContext(ctx, binary, "serve", "--addr", addr, "--database", database, "--no-starters")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir()}
	terminal, err := pty.Start(cmd)
	if err != nil {
		t.Fatal(err)
	}
	shown := &lockedBuffer{}
	read := make(chan error, 1)
	go func() {
		_, err := io.Copy(shown, terminal)
		read <- err
	}()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+addr+"/readyz", nil)
		if err != nil {
			t.Fatal(err)
		}
		if resp, err := http.DefaultClient.Do(req); err == nil {
			_ = resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				break
			}
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			t.Fatalf("it does not serve:\n%s", shown)
		}
	}
	serving(shown.String())
	if err := cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := <-read; err != nil && !errors.Is(err, syscall.EIO) { // Linux says that the other side is closed
		t.Error(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("%v:\n%s", err, shown)
	}
	return shown.String()
}
