package main

import (
	"bufio"
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	soakModel    = "bench-soak"
	soakConns    = 64
	soakShare    = 0.7             // of what the server answers at most
	soakHangUps  = 0.05            // of calls whose client goes away in the middle
	soakSettle   = 2 * time.Minute // idle connections to providers are kept for 90 s
	soakSamples  = 60
	soakGrowth   = 1.15 // most that memory may rise from the second to the last third
	soakLeftOver = 8    // goroutines and files more than before, at most
)

// soakFigures are what a long run under load with faults and hang-ups left behind.
type soakFigures struct {
	Duration  time.Duration `json:"duration"`
	Rate      float64       `json:"rate"` // calls begun a second
	Calls     int64         `json:"calls"`
	Answered  int64         `json:"answered"`
	HungUp    int64         `json:"hung_up"`
	Failed    int64         `json:"failed"`
	Faults    int64         `json:"provider_faults"`
	Resident  []int64       `json:"resident"` // sampled at equal distances
	Before    processState  `json:"before"`
	After     processState  `json:"after"`
	OpenAtEnd int64         `json:"open_generations"`
}

// processState is what a process holds.
type processState struct {
	Goroutines int64 `json:"goroutines"`
	Files      int64 `json:"files"`
	Resident   int64 `json:"resident"`
}

// soak loads a server for a long time, with one of two routes failing at random and clients that hang up, and looks at what is left.
func (b *bench) soak(ctx context.Context) (err error) {
	flaky, err := startProvider(ctx)
	if err != nil {
		return err
	}
	defer flaky.close()
	flaky.faulty = true
	in, err := b.install(ctx, "soak")
	if err != nil {
		return err
	}
	if err := os.WriteFile(in.path("elumenta.toml"), []byte(configuration(b.provider.addr())+soakConfiguration(flaky.addr())), 0o600); err != nil {
		return err
	}
	server, err := in.serve(ctx)
	if err != nil {
		return err
	}
	running := true
	defer func() {
		if running {
			err = errors.Join(err, server.stop())
		}
	}()
	key, err := in.account(ctx, payingPlan)
	if err != nil {
		return err
	}
	calls := soakCalls(key)
	f := &soakFigures{Duration: b.soakFor}
	most, err := (&job{addr: server.addr, requests: [][]byte{generate(key, `{"model":"bench","prompt":"Hello"}`), generate(key, `{"model":"bench","prompt":"Hello","stream":true}`)},
		conns: soakConns, warm: time.Second, duration: 3 * time.Second}).run(ctx)
	if err != nil {
		return err
	}
	f.Rate = most.Rate * soakShare
	b.printf("soak: at most %.0f calls a second; %.0f for %s\n", most.Rate, f.Rate, b.soakFor)
	if f.Before, err = b.settled(ctx, server.process, nil); err != nil {
		return err
	}
	if err := b.soakLoad(ctx, server.process, calls, f); err != nil {
		return err
	}
	f.Faults = flaky.faults.Load()
	if f.After, err = b.settled(ctx, server.process, &f.Before); err != nil {
		return err
	}
	if f.OpenAtEnd, err = in.openGenerations(ctx); err != nil {
		return err
	}
	running = false
	if err := server.stop(); err != nil {
		return err
	}
	if out, err := in.command(ctx, "ledger", "verify"); err != nil {
		return fmt.Errorf("ledger verify: %w: %s", err, out)
	}
	b.report.Soak = f
	b.printf("soak: %d calls: %d answered, %d hung up, %d failed; the failing route had %d faults\n", f.Calls, f.Answered, f.HungUp, f.Failed, f.Faults)
	b.printf("soak: goroutines %d before, %d after; open files %d, %d; open generations %d\n", f.Before.Goroutines, f.After.Goroutines, f.Before.Files, f.After.Files, f.OpenAtEnd)
	b.printf("soak: memory %.1f MiB before, by thirds %.1f, %.1f, %.1f MiB, %.1f MiB after\n", mib(f.Before.Resident), mib(f.third(0)), mib(f.third(1)), mib(f.third(2)), mib(f.After.Resident))
	return f.check()
}

func (f *soakFigures) third(i int) int64 {
	n := len(f.Resident) / 3
	return median(f.Resident[i*n : (i+1)*n])
}

// check says what a healthy server does not do.
func (f *soakFigures) check() error {
	var errs []error
	if f.Answered < f.Calls*9/10-f.HungUp || f.Answered == 0 {
		errs = append(errs, fmt.Errorf("only %d of %d calls were answered", f.Answered, f.Calls))
	}
	if f.Failed > f.Calls/1000+1 {
		errs = append(errs, fmt.Errorf("%d of %d calls failed though one route was well", f.Failed, f.Calls))
	}
	if f.Faults == 0 || f.HungUp == 0 {
		errs = append(errs, errors.New("there were no faults, or nobody hung up"))
	}
	if last, middle := f.third(2), f.third(1); float64(last) > float64(middle)*soakGrowth {
		errs = append(errs, fmt.Errorf("memory grows: %.1f MiB in the second third, %.1f in the last", mib(middle), mib(last)))
	}
	if f.After.Goroutines > f.Before.Goroutines+soakLeftOver {
		errs = append(errs, fmt.Errorf("%d goroutines are left over", f.After.Goroutines-f.Before.Goroutines))
	}
	if f.After.Files > f.Before.Files+soakLeftOver {
		errs = append(errs, fmt.Errorf("%d connections or files are left over", f.After.Files-f.Before.Files))
	}
	if f.OpenAtEnd != 0 {
		errs = append(errs, fmt.Errorf("%d reservations are left over", f.OpenAtEnd))
	}
	return errors.Join(errs...)
}

// soakCalls are whole and streamed calls of every surface.
func soakCalls(key string) [][]byte {
	var calls [][]byte
	for _, stream := range []bool{false, true} {
		for path, body := range map[string]string{
			"/api/v2/generate":     `{"model":%q,"prompt":"Hello","stream":%t}`,
			"/v1/chat/completions": `{"model":%q,"messages":[{"role":"user","content":"Hello"}],"stream":%t}`,
			"/v1/responses":        `{"model":%q,"input":"Hello","stream":%t}`,
			"/v1/messages":         `{"model":%q,"max_tokens":100,"messages":[{"role":"user","content":"Hello"}],"stream":%t}`,
		} {
			calls = append(calls, request("POST", path, key, fmt.Appendf(nil, body, soakModel, stream)))
		}
	}
	return calls
}

// soakLoad begins calls at an even rate, whatever becomes of them, and samples the server's memory.
func (b *bench) soakLoad(ctx context.Context, p *process, calls [][]byte, f *soakFigures) error {
	end := time.Now().Add(b.soakFor)
	var answered, hungUp, failed atomic.Int64
	due := make(chan struct{}, soakConns)
	group, ctx := errgroup.WithContext(ctx)
	for range soakConns {
		group.Go(func() error {
			c := &soakClient{addr: p.addr}
			defer c.close()
			for range due {
				switch result, err := c.call(ctx, calls[rand.IntN(len(calls))]); {
				case err != nil && ctx.Err() != nil:
					return ctx.Err()
				case err != nil:
					failed.Add(1)
				case result == soakHungUp:
					hungUp.Add(1)
				default:
					answered.Add(1)
				}
			}
			return nil
		})
	}
	group.Go(func() error {
		defer close(due)
		return even(ctx, f.Rate, end, func() error {
			select {
			case due <- struct{}{}:
				f.Calls++
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	})
	group.Go(func() error {
		return even(ctx, soakSamples/b.soakFor.Seconds(), end, func() error {
			n, err := p.resident()
			f.Resident = append(f.Resident, n)
			return err
		})
	})
	err := group.Wait()
	f.Answered, f.HungUp, f.Failed = answered.Load(), hungUp.Load(), failed.Load()
	return err
}

// even calls f so many times a second until end, each time for all that is due.
func even(ctx context.Context, rate float64, end time.Time, f func() error) error {
	begin, done := time.Now(), 0
	for time.Now().Before(end) {
		for due := int(time.Since(begin).Seconds() * rate); done < due; done++ {
			if err := f(); err != nil {
				return err
			}
		}
		if err := wait(ctx, time.Millisecond); err != nil {
			return err
		}
	}
	return nil
}

type soakResult uint8

const (
	soakAnswered soakResult = iota
	soakHungUp
)

// soakClient keeps a connection as long as it is good for another call.
type soakClient struct {
	addr   string
	client *client
}

func (c *soakClient) close() {
	if c.client != nil {
		_ = c.client.conn.Close()
		c.client = nil
	}
}

func (c *soakClient) call(ctx context.Context, req []byte) (soakResult, error) {
	if c.client == nil {
		conn, err := dial(ctx, c.addr)
		if err != nil {
			return 0, err
		}
		c.client = newClient(conn, 8<<10)
	}
	if err := c.client.conn.SetDeadline(time.Now().Add(time.Minute)); err != nil {
		return 0, err
	}
	if rand.Float64() < soakHangUps {
		defer c.close()
		_, err := c.client.conn.Write(req)
		if err == nil && rand.IntN(2) == 0 {
			_, err = c.client.reader.br.Peek(1) // in the middle of the answer
		}
		return soakHungUp, err
	}
	body, err := c.client.do(req)
	if err == nil && !bytes.Contains(body, []byte("twenty")) {
		err = fmt.Errorf("not an answer: %.300s", body)
	}
	if err != nil {
		c.close()
	}
	return soakAnswered, err
}

// settled waits until a server without load holds no more than before, or until it has had its time.
func (b *bench) settled(ctx context.Context, p *process, before *processState) (s processState, err error) {
	for begin := time.Now(); ; {
		if err := wait(ctx, b.duration); err != nil {
			return s, err
		}
		if s, err = p.state(ctx); err != nil {
			return s, err
		}
		if before == nil || s.Goroutines <= before.Goroutines && s.Files <= before.Files || time.Since(begin) > soakSettle {
			return s, nil
		}
	}
}

// state asks the process's own metrics, on a connection of its own.
func (p *process) state(ctx context.Context) (s processState, err error) {
	if s.Resident, err = p.resident(); err != nil {
		return s, err
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "tcp", p.addr)
	if err != nil {
		return s, err
	}
	defer func() { _ = conn.Close() }()
	_ = conn.SetDeadline(time.Now().Add(10 * time.Second))
	body, err := newClient(conn, 64<<10).do([]byte("GET /metrics HTTP/1.1\r\nHost: bench\r\n\r\n"))
	if err != nil {
		return s, fmt.Errorf("read the metrics: %w", err)
	}
	found := 0
	for lines := bufio.NewScanner(bytes.NewReader(body)); lines.Scan(); {
		name, value, _ := strings.Cut(lines.Text(), " ")
		n, err := strconv.ParseFloat(value, 64)
		if err != nil {
			continue
		}
		switch name {
		case "go_goroutines":
			s.Goroutines = int64(n)
			found++
		case "process_open_fds":
			s.Files = int64(n)
			found++
		}
	}
	if found != 2 {
		return s, errors.New("the metrics have no goroutines or files")
	}
	return s, nil
}

// openGenerations counts the reservations that are open now.
func (in *installation) openGenerations(ctx context.Context) (n int64, err error) {
	db, err := sql.Open("sqlite", "file:"+in.path("elumenta.db")+"?mode=ro&_pragma=busy_timeout(60000)")
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = db.QueryRowContext(ctx, "SELECT COALESCE(SUM(open_generations), 0) FROM accounts").Scan(&n)
	return n, err
}

// soakConfiguration has a model with two routes of one order, the second at the failing provider.
func soakConfiguration(flaky string) string {
	return fmt.Sprintf(`
[[providers]]
name = "flaky"
format = "chat"
base_url = "http://%s/v1"
api_key = "sk-bench"

[[models]]
slug = %q
routes = [{provider = "fake", upstream_id = "bench"}, {provider = "flaky", upstream_id = "bench"}]
token_cost = 1
`, flaky, soakModel)
}

// fault answers one call wrongly. It reports whether the connection is done for.
func (p *provider) fault(conn net.Conn, stream bool) (end bool, err error) {
	p.faults.Add(1)
	plain := func(status, header, body string) {
		_, err = fmt.Fprintf(conn, "HTTP/1.1 %s\r\n%sContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", status, header, len(body), body)
	}
	const broken = `{"error":{"message":"broken","type":"server_error"}}`
	switch faults := []string{"500 Internal Server Error", "502 Bad Gateway", "503 Service Unavailable", "529 Overloaded"}; rand.IntN(8) {
	case 0:
		plain(faults[rand.IntN(len(faults))], "", broken)
	case 1:
		plain("429 Too Many Requests", "Retry-After: 1\r\n", `{"error":{"message":"slow down","type":"requests","code":"rate_limit_exceeded"}}`)
	case 2:
		plain("200 OK", "", "<html>"+strings.Repeat("x", 1000))
	case 3:
		plain("200 OK", "", `{"id":"x","choices":`)
	case 4:
		return true, nil // reset, or an end without an answer
	case 5:
		_, err = conn.Write(p.whole[:len(p.whole)/2])
		return true, err
	case 6:
		if stream { // an error event before any piece
			_, err = conn.Write(slices.Concat(p.open, chunk("data: "+broken+"\n\n"), []byte("0\r\n\r\n")))
			return false, err
		}
		plain("408 Request Timeout", "", broken)
	default:
		if stream {
			_, err = conn.Write(p.open)
		}
		return true, err
	}
	return false, err
}
