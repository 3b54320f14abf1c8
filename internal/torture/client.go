package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// clientPatience is how long a client waits that does not mean to leave.
const clientPatience = 20 * time.Second

// newClient has connections enough for every caller.
func newClient() *http.Client {
	return &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 256, DisableCompression: true}}
}

// caller makes its calls, one after the other, until load ends. Attempts that have begun are played to their end.
func (r *run) caller(load context.Context, index int) {
	random := r.plan.random(drawCallers + uint64(index))
	for n := int64(1); load.Err() == nil; n++ {
		c := r.plan.next(index, random)
		r.call(load, int64(index+1)<<32|n, &c)
	}
}

// call makes one call with its retries.
func (r *run) call(load context.Context, number int64, c *call) {
	n := 0
	if c.twin {
		var both sync.WaitGroup
		both.Go(func() { r.try(number, c, 1) })
		defer both.Wait()
	}
	a := r.try(number, c, n)
	for n = 2; a.again() && n < 2+c.retries; n++ {
		if !pause(load, c.delay) {
			return
		}
		a = r.try(number, c, n)
	}
	if a.outcome == complete && c.keyed && c.again {
		r.try(number, c, n)
	}
	if a.outcome == broken || a.status == http.StatusServiceUnavailable {
		pause(load, 100*time.Millisecond) // its node or the database is away
	}
}

// again reports whether a client would repeat the request.
func (a *attempt) again() bool {
	switch a.outcome {
	case complete:
		return false
	case told:
		return a.status >= 500 || a.status == http.StatusOK || a.code == "conflict" && a.first == ""
	default:
		return true
	}
}

// try makes the n-th attempt of a call. Without a key every attempt has a message of its own; with one the message must
// stay, as the key demands the same body.
func (r *run) try(number int64, c *call, n int) *attempt {
	a := &attempt{
		marker: number << 4, call: number, account: c.account, node: c.node[n], keyed: c.keyed, stream: c.stream, price: cheapPrice,
	}
	if !c.keyed {
		a.marker |= int64(n + 1)
	}
	body := map[string]any{"model": cheapModel, "stream": c.stream, "prompt": wish{a.marker, c.does, c.pieces, c.pause}.String()}
	if c.dear {
		body["model"], a.price = dearModel, dearPrice
	}
	if c.assistant >= 0 {
		body["assistant_id"] = r.world.shared[c.assistant]
	}
	patience := clientPatience
	if c.leave == leavesBefore {
		patience = c.patience
	}
	r.generate(a, r.world.accounts[c.account].key, body, patience, c.leave == leavesAfter)
	return a
}

// generate sends a request and records what its client saw. A client that leavesAfter hangs up at the first piece.
func (r *run) generate(a *attempt, key string, body map[string]any, patience time.Duration, leavesAfter bool) {
	r.record.begun.Add(1)
	ctx, hangUp := context.WithTimeout(context.Background(), patience)
	defer hangUp()
	raw, _ := json.Marshal(body) // strings, numbers and flags
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+r.nodes[a.node].addr+"/api/v2/generate", bytes.NewReader(raw))
	if err != nil {
		panic(err) // an address that we made
	}
	req.GetBody = nil // or the transport repeats a request with an Idempotency-Key by itself
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	if a.keyed {
		req.Header.Set("Idempotency-Key", "torture-"+strconv.FormatInt(a.call, 10))
	}
	a.start = time.Now()
	resp, err := r.http.Do(req)
	if err == nil {
		err = a.read(resp, hangUp, leavesAfter)
		_ = resp.Body.Close()
	}
	a.end = time.Now()
	switch {
	case a.outcome == complete:
		r.nodes[a.node].answered()
	case a.outcome == told:
	case err != nil && ctx.Err() != nil:
		a.outcome = left
	}
	r.record.attempt(a)
}

// reply is what is read of a whole answer, an error and an event alike.
type reply struct {
	Type        string `json:"type"`
	ID          string `json:"id"`
	Error       string `json:"error"`
	Status      string `json:"status"`
	Assistant   string `json:"assistant_id"`
	Version     int    `json:"assistant_version"`
	TokensSpent int64  `json:"tokens_spent"`
	TokensUsed  int64  `json:"tokens_used"`
	Details     struct {
		Generation string `json:"generation_id"`
		Spent      int64  `json:"tokens_spent"`
	} `json:"details"`
}

var errLeaves = errors.New("the client hangs up")

// read reads an answer to its end. An error means that there was none.
func (a *attempt) read(resp *http.Response, hangUp func(), leavesAfter bool) error {
	a.status = resp.StatusCode
	if a.stream && resp.StatusCode == http.StatusOK {
		return a.readStream(resp.Body, hangUp, leavesAfter)
	}
	var v reply
	raw, err := io.ReadAll(resp.Body)
	if err == nil {
		err = json.Unmarshal(raw, &v)
	}
	if err != nil {
		return err
	}
	if resp.StatusCode == http.StatusOK {
		a.outcome = complete
		a.generation, a.spent, a.assistant, a.version = v.ID, v.TokensSpent, v.Assistant, v.Version
		return nil
	}
	a.outcome, a.code = told, v.Error
	if v.Error == "conflict" {
		a.first, a.spent = v.Details.Generation, v.Details.Spent
	}
	return nil
}

func (a *attempt) readStream(body io.Reader, hangUp func(), leavesAfter bool) error {
	lines := bufio.NewScanner(body)
	for lines.Scan() {
		data, ok := strings.CutPrefix(lines.Text(), "data: ")
		if !ok {
			continue
		}
		var v reply
		if err := json.Unmarshal([]byte(data), &v); err != nil {
			return err
		}
		switch v.Type {
		case "generation_start":
			a.generation, a.assistant, a.version = v.ID, v.Assistant, v.Version
		case "content_delta":
			a.pieces++
			if leavesAfter {
				hangUp()
				return errLeaves
			}
		case "generation_end":
			a.outcome, a.spent = complete, v.TokensUsed
			return nil
		case "error":
			a.outcome, a.code, a.spent = told, v.Error, v.TokensSpent
			return nil
		}
	}
	return errors.Join(lines.Err(), io.ErrUnexpectedEOF)
}

// api makes another call of the API. A status of 0 means that there was no answer.
func (r *run) api(node int, key, method, path string, body any) (status int, answer map[string]any) {
	ctx, cancel := context.WithTimeout(context.Background(), clientPatience)
	defer cancel()
	raw, _ := json.Marshal(body)
	req, err := http.NewRequestWithContext(ctx, method, "http://"+r.nodes[node].addr+"/api/v2"+path, bytes.NewReader(raw))
	if err != nil {
		panic(err)
	}
	req.GetBody = nil
	req.Header.Set("Authorization", "Bearer "+key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := r.http.Do(req)
	if err != nil {
		return 0, nil
	}
	defer func() { _ = resp.Body.Close() }()
	raw, err = io.ReadAll(resp.Body)
	if err != nil || len(raw) > 0 && json.Unmarshal(raw, &answer) != nil {
		return 0, nil
	}
	return resp.StatusCode, answer
}
