package store

import (
	"os"
	"testing"
)

func TestPollerTurn(t *testing.T) {
	p := newPoller()
	if p == nil {
		t.Fatal("no eventfd")
	}
	// Each turn ends, although nobody reads what it wrote, and by then the network was looked at: a reader that waits is ready.
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	read := make(chan byte)
	go func() {
		defer close(read)
		for b := make([]byte, 1); ; {
			if _, err := r.Read(b); err != nil {
				return
			}
			read <- b[0]
		}
	}()
	for i := range 1000 {
		if _, err := w.Write([]byte{byte(i)}); err != nil {
			t.Fatal(err)
		}
		p.turn()
		if got := <-read; got != byte(i) {
			t.Fatalf("read %d, want %d", got, byte(i))
		}
	}
	_ = w.Close()
	<-read
	p.close()
	p.turn() // must not wait for what cannot come
	var none *poller
	none.turn()
	none.close()
}
