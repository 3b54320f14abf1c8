package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	streamTarget  = 50 << 10
	streamsOpen   = 64              // how many are being opened at a time
	streamsLimit  = 2 * time.Minute // for all of it
	streamsSample = 250 * time.Millisecond
)

// streamFigure is the memory of open streams that each bring a piece every slowPause.
type streamFigure struct {
	Count     int   `json:"count"`
	Before    int64 `json:"resident_before"`
	Open      int64 `json:"resident_open"`
	PerStream int64 `json:"per_stream"`
}

// streams opens slow streams, watches the server's memory while all are open, and lets them end.
func (b *bench) streams(ctx context.Context) (err error) {
	in, err := b.install(ctx, "streams")
	if err != nil {
		return err
	}
	server, err := in.serve(ctx)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, server.stop()) }()
	f := streamFigure{Count: b.open}
	if f.Before, err = b.idle(ctx, server.process); err != nil {
		return err
	}

	ctx, cancel := context.WithTimeout(ctx, streamsLimit)
	defer cancel()
	group, ctx := errgroup.WithContext(ctx)
	opened := make(chan struct{}, b.open)
	slots := make(chan struct{}, streamsOpen)
	req := in.generate(`{"model":"` + slowModel + `","prompt":"Take your time","stream":true}`)
	for range b.open {
		group.Go(func() error { return slowStream(ctx, server.addr, req, slots, opened) })
	}
	group.Go(func() error {
		defer close(b.provider.release)
		for range b.open {
			select {
			case <-opened:
			case <-ctx.Done():
				return ctx.Err()
			}
		}
		f.Open, err = highest(ctx, server.process, 2*slowPause)
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	f.PerStream = (f.Open - f.Before) / int64(f.Count)
	b.report.Streams = &f
	b.printf("%d open streams: %.1f MiB, %.1f MiB before: %.1f KiB each (target %d)\n",
		f.Count, mib(f.Open), mib(f.Before), float64(f.PerStream)/1024, streamTarget>>10)
	return nil
}

// slowStream opens a stream, says so when its first piece has come, and reads it to its proper end.
func slowStream(ctx context.Context, addr string, req []byte, slots, opened chan struct{}) error {
	slots <- struct{}{}
	conn, err := dial(ctx, addr)
	if err != nil {
		<-slots
		return err
	}
	defer func() { _ = conn.Close() }()
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	r := newMessageReader(conn, 1<<10)
	first := func() error {
		if _, err := conn.Write(req); err != nil {
			return err
		}
		start, framing, err := r.head()
		if err != nil {
			return err
		}
		if !framing.chunked {
			_ = r.read(framing.length)
		}
		if err := checkStatus(start, r.body); err != nil {
			return err
		}
		for !bytes.Contains(r.body, []byte("content_delta")) {
			if n, err := r.chunk(); n == 0 || err != nil {
				return fmt.Errorf("the stream ended before its first piece: %w", noEOF(err))
			}
		}
		return nil
	}
	err = first()
	<-slots
	if err != nil {
		return err
	}
	opened <- struct{}{}
	for {
		n, err := r.chunk()
		if err != nil {
			return err
		}
		if n == 0 {
			break
		}
	}
	if !bytes.HasSuffix(r.body, []byte("data: [DONE]\n\n")) || bytes.Contains(r.body, []byte(`"type":"error"`)) {
		return fmt.Errorf("a stream ended as %q", r.body[max(0, len(r.body)-300):])
	}
	return nil
}

// highest reads a process's memory again and again and returns the most that it was.
func highest(ctx context.Context, p *process, d time.Duration) (int64, error) {
	var most int64
	for begin := time.Now(); time.Since(begin) < d; {
		n, err := p.resident()
		if err != nil {
			return 0, err
		}
		most = max(most, n)
		if err := wait(ctx, streamsSample); err != nil {
			return 0, err
		}
	}
	return most, nil
}
