package store

import (
	"os"
	"runtime"
	"testing"
)

func TestPollerTurn(t *testing.T) {
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1)) // who yields runs before the network is looked at
	p := newPoller()
	if p == nil {
		t.Fatal("no eventfd")
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	read := make(chan byte, 1)
	go func() {
		defer close(read)
		for b := make([]byte, 1); ; {
			if _, err := r.Read(b); err != nil {
				return
			}
			read <- b[0]
		}
	}()
	late := 0
	for i := range 1000 {
		for range yields {
			runtime.Gosched() // until the reader waits
		}
		if _, err := w.Write([]byte{byte(i)}); err != nil {
			t.Fatal(err)
		}
		p.rest = 0
		p.turn()
		for range yields {
			runtime.Gosched()
		}
		if len(read) == 0 {
			late++
		}
		if got := <-read; got != byte(i) {
			t.Fatalf("read %d, want %d", got, byte(i))
		}
	}
	if late > 100 { // all but a few are, without turns
		t.Errorf("%d of 1,000 had not read what there was after a turn", late)
	}
	_ = w.Close()
	<-read
	p.close()
	p.turn() // must not wait for what cannot come
	var none *poller
	none.turn()
	none.close()
}
