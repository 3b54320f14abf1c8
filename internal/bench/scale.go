package main

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/elumenta/elumenta"
)

const (
	scaleSmall  = 100
	scaleConns  = 16
	scaleTarget = 1.2
	seedConns   = 64
)

// scaleRow says what a call costs with many assistants in the database, compared with few.
type scaleRow struct {
	Call  string  `json:"call"`
	Few   sample  `json:"few"`
	Many  sample  `json:"many"`
	Count int     `json:"count"`
	Ratio float64 `json:"cost_ratio"`
}

// store is a server with a number of assistants; ids are those of the account that the load uses.
type store struct {
	*elumentaServer
	ids []string
}

// scale compares the cost of list, get and generate with few assistants and with many.
func (b *bench) scale(ctx context.Context) (err error) {
	few, err := b.stocked(ctx, "few", scaleSmall)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, few.stop()) }()
	begin := time.Now()
	many, err := b.stocked(ctx, "many", b.many)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, many.stop()) }()
	b.printf("%d assistants made through the API in %s\n", b.many, time.Since(begin).Round(time.Second))

	calls := []struct {
		name, want string
		requests   func(*store) [][]byte
	}{
		{"list", `"next_cursor"`, func(s *store) [][]byte {
			return [][]byte{request("GET", "/api/v2/assistants?limit=20", s.key, nil)}
		}},
		{"get", `"instructions"`, func(s *store) [][]byte { return s.each(s.ids, getRequest) }},
		{"generate, any 100", "twenty pieces", func(s *store) [][]byte { return s.each(pick(s.ids, scaleSmall), generateRequest) }},
		{"generate, any of all", "twenty pieces", func(s *store) [][]byte { return s.each(s.ids, generateRequest) }},
	}
	for _, c := range calls {
		row := scaleRow{Call: c.name, Count: b.many}
		if err := b.scaleRow(ctx, &row, c.want, few, many, c.requests(few), c.requests(many)); err != nil {
			return fmt.Errorf("%s: %w", c.name, err)
		}
		b.printf("%-21s %8.0f/s with %d, %8.0f/s with %d: costs %.2f times (target at most %.1f)\n",
			c.name, row.Few.Rate, scaleSmall, row.Many.Rate, b.many, row.Ratio, scaleTarget)
		b.report.Scale = append(b.report.Scale, row)
	}
	return nil
}

func (b *bench) scaleRow(ctx context.Context, row *scaleRow, want string, few, many *store, fewRequests, manyRequests [][]byte) error {
	var a, z []sample
	var ratios []float64
	for range b.rounds {
		j := job{addr: few.addr, requests: fewRequests, want: []byte(want), conns: scaleConns, warm: b.duration / 5, duration: b.duration}
		small, err := j.run(ctx)
		if err != nil {
			return err
		}
		j.addr, j.requests = many.addr, manyRequests
		large, err := j.run(ctx)
		if err != nil {
			return err
		}
		a, z, ratios = append(a, small), append(z, large), append(ratios, small.Rate/large.Rate)
	}
	row.Few, row.Many, row.Ratio = medians(a), medians(z), median(ratios)
	return nil
}

func getRequest(key, id string) []byte { return request("GET", "/api/v2/assistants/"+id, key, nil) }

func generateRequest(key, id string) []byte { return generate(key, generateBody(id, false)) }

func (s *store) each(ids []string, build func(key, id string) []byte) [][]byte {
	requests := make([][]byte, len(ids))
	for i, id := range ids {
		requests[i] = build(s.key, id)
	}
	return requests
}

// pick chooses n of the ids, spread over all.
func pick(ids []string, n int) []string {
	chosen := make([]string, 0, n)
	for _, i := range rand.Perm(len(ids))[:min(n, len(ids))] {
		chosen = append(chosen, ids[i])
	}
	return chosen
}

// stocked starts a server and makes n assistants, as many as an account may have in the first and the rest in others.
func (b *bench) stocked(ctx context.Context, name string, n int) (*store, error) {
	in, err := b.install(ctx, name)
	if err != nil {
		return nil, err
	}
	server, err := in.serve(ctx)
	if err != nil {
		return nil, err
	}
	s := &store{elumentaServer: server}
	key := in.key
	for made := 0; made < n; made += elumenta.MaxAssistants {
		if made > 0 {
			if key, err = in.account(ctx, "unlimited"); err != nil {
				return nil, errors.Join(err, server.stop())
			}
		}
		ids, err := seed(ctx, server.addr, key, min(n-made, elumenta.MaxAssistants))
		if err != nil {
			return nil, errors.Join(err, server.stop())
		}
		if made == 0 {
			s.ids = ids
		}
	}
	return s, nil
}

// seed makes n assistants and returns their ids.
func seed(ctx context.Context, addr, key string, n int) ([]string, error) {
	ids := make([]string, n)
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range min(seedConns, n) {
		group.Go(func() error {
			conn, err := dial(ctx, addr)
			if err != nil {
				return err
			}
			defer func() { _ = conn.Close() }()
			c := newClient(conn, 16<<10)
			for i := next.Add(1) - 1; i < int64(n) && ctx.Err() == nil; i = next.Add(1) - 1 {
				if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
					return err
				}
				answer, err := c.do(request("POST", "/api/v2/assistants", key, assistantBody(fmt.Sprintf("Assistant %d", i))))
				if err != nil {
					return err
				}
				if ids[i], err = idOf(answer); err != nil {
					return err
				}
			}
			return ctx.Err()
		})
	}
	return ids, group.Wait()
}
