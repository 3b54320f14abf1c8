package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// job is a load: requests to one address, each connection sending its next as soon as the answer is whole.
type job struct {
	addr     string
	requests [][]byte // each is as likely as the other
	want     []byte   // part of every answer
	conns    int
	warm     time.Duration
	duration time.Duration
}

// sample is what one run of a job measured. All calls that began within the time count, however long they took; the rate
// has those that ended within it.
type sample struct {
	Rate     float64
	P50, P99 time.Duration // of a whole answer
	CPU      time.Duration // the server's processor time an answer, zero where it was not measured
	// PostgresCPU and PostgresLog are Postgres's processor time and bytes of write-ahead log an answer.
	PostgresCPU time.Duration `json:",omitzero"`
	PostgresLog int64         `json:",omitzero"`
}

// run opens the connections, warms up and measures. The first failure ends it.
func (j *job) run(ctx context.Context) (sample, error) {
	group, ctx := errgroup.WithContext(ctx)
	begin := time.Now().Add(j.warm)
	end := begin.Add(j.duration)
	latencies := make([][]time.Duration, j.conns)
	var ended atomic.Int64
	for i := range j.conns {
		group.Go(func() (err error) {
			var n int
			latencies[i], n, err = j.connection(ctx, begin, end)
			ended.Add(int64(n))
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return sample{}, err
	}
	all := slices.Concat(latencies...)
	if len(all) == 0 {
		return sample{}, errors.New("no answer within the time")
	}
	slices.Sort(all)
	if ended.Load() == 0 { // none within so short a time: the first one's says how many there would be
		return sample{Rate: float64(j.conns) / all[0].Seconds(), P50: all[0], P99: all[len(all)-1]}, nil
	}
	return sample{Rate: float64(ended.Load()) / j.duration.Seconds(), P50: quantile(all, 0.50), P99: quantile(all, 0.99)}, nil
}

// connection returns how long each call took and how many ended in time.
func (j *job) connection(ctx context.Context, begin, end time.Time) (latencies []time.Duration, ended int, err error) {
	conn, err := dial(ctx, j.addr)
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(end.Add(10 * time.Second)); err != nil {
		return nil, 0, err
	}
	c := newClient(conn, 8<<10)
	latencies = make([]time.Duration, 0, 1<<14)
	for start := time.Now(); start.Before(end) && ctx.Err() == nil; {
		body, err := c.do(j.requests[rand.IntN(len(j.requests))])
		if err != nil {
			return nil, 0, err
		}
		if !bytes.Contains(body, j.want) {
			return nil, 0, fmt.Errorf("the answer lacks %q: %.300s", j.want, body)
		}
		done := time.Now()
		if start.After(begin) {
			latencies = append(latencies, done.Sub(start))
			if done.Before(end) {
				ended++
			}
		}
		start = done
	}
	return latencies, ended, nil
}

func dial(ctx context.Context, addr string) (net.Conn, error) {
	d := net.Dialer{Timeout: 5 * time.Second}
	return d.DialContext(ctx, "tcp", addr)
}

// once makes one call on a connection of its own and returns a copy of the answer.
func once(ctx context.Context, addr string, req []byte) ([]byte, error) {
	conn, err := dial(ctx, addr)
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return nil, err
	}
	body, err := newClient(conn, 8<<10).do(req)
	return bytes.Clone(body), err
}

// quantile expects sorted values and at least one.
func quantile[T any](sorted []T, q float64) T { return sorted[int(q*float64(len(sorted)-1))] }

// median expects at least one value.
func median[T int64 | float64 | time.Duration](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return quantile(sorted, 0.5)
}
