package main

import (
	"context"
	"fmt"
	"os"
	"time"
)

const (
	startTarget    = 200 * time.Millisecond
	residentTarget = 40 << 20
	binaryTarget   = 40_000_000
)

// startFigures are what the program costs before anybody uses it.
type startFigures struct {
	Empty    time.Duration `json:"start_on_empty_database"`
	Existing time.Duration `json:"start_on_existing_database"`
	Resident int64         `json:"idle_resident"`
	Binary   int64         `json:"binary"`
}

// start measures from the start of the program to its first answered generation, and what it holds when idle.
func (b *bench) start(ctx context.Context) error {
	info, err := os.Stat(b.binary)
	if err != nil {
		return err
	}
	f := &startFigures{Binary: info.Size()}
	var empty, existing []time.Duration
	for i := range b.rounds {
		in, err := b.install(ctx, fmt.Sprintf("start%d", i))
		if err != nil {
			return err
		}
		for _, spent := range []*[]time.Duration{&empty, &existing} {
			s, err := in.serve(ctx)
			if err != nil {
				return err
			}
			*spent = append(*spent, s.start)
			if f.Resident, err = b.idle(ctx, s.process); err != nil {
				return err
			}
			if err := s.stop(); err != nil {
				return fmt.Errorf("stop: %w", err)
			}
		}
	}
	f.Empty, f.Existing = median(empty), median(existing)
	b.report.Start = f
	b.printf("start to first answer: %s on an empty database, %s on one that exists (target %s)\n", round(f.Empty), round(f.Existing), startTarget)
	b.printf("idle memory %.1f MiB (target %d), binary %.1f MB (target %d)\n",
		mib(f.Resident), residentTarget>>20, float64(f.Binary)/1e6, binaryTarget/1_000_000)
	return nil
}

// idle waits a moment in which nothing is asked of the server, and reads its memory.
func (b *bench) idle(ctx context.Context, p *process) (int64, error) {
	if err := wait(ctx, b.duration); err != nil {
		return 0, err
	}
	return p.resident()
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
