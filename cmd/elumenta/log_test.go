package main

import (
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
)

// slowFile is a file whose first write takes until it is let go.
type slowFile struct {
	mu     sync.Mutex
	let    chan struct{}
	writes int
	empty  int // of them
	text   strings.Builder
}

func (f *slowFile) Write(p []byte) (int, error) {
	<-f.let
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes++
	if len(p) == 0 {
		f.empty++
	}
	return f.text.Write(p)
}

// A disk that does not answer stops no request, and no line is lost or out of order.
func TestLogWaitsForNoDisk(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &slowFile{let: make(chan struct{})}
		log, closeLog := newLogger("json", slog.LevelInfo, f)
		var want strings.Builder
		for i := range 1000 {
			log.Info("request", "n", i)
			_, _ = fmt.Fprintf(&want, `"n":%d}`+"\n", i)
		}
		synctest.Wait()
		close(f.let)
		closeLog()
		log.Info("request", "n", 1000)
		_, _ = fmt.Fprintf(&want, `"n":%d}`+"\n", 1000)
		var got strings.Builder
		for line := range strings.Lines(f.text.String()) {
			got.WriteString(line[strings.Index(line, `"n"`):])
		}
		if got.String() != want.String() {
			t.Error("lines are missing or out of order")
		}
		if f.writes > 4 || f.empty > 0 {
			t.Errorf("1,001 lines were written in %d writes, %d of them of nothing", f.writes, f.empty)
		}
	})
}

// A disk that does not answer for long stops those who log, so that memory does not grow.
func TestLogIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := &slowFile{let: make(chan struct{})}
		w := newLogWriter(f)
		line := []byte(strings.Repeat("x", 1023) + "\n")
		var written sync.WaitGroup
		written.Go(func() {
			for range 3 * mostLogBytes / len(line) {
				_, _ = w.Write(line)
			}
		})
		synctest.Wait()
		w.mu.Lock()
		if n := len(w.waiting); n > mostLogBytes {
			t.Errorf("%d bytes wait", n)
		}
		w.mu.Unlock()
		close(f.let)
		written.Wait()
		w.close()
		if f.text.Len() != 3*mostLogBytes {
			t.Errorf("%d bytes were written", f.text.Len())
		}
	})
}
