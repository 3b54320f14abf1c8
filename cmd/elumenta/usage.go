package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/url"
	"strings"
	"text/tabwriter"
)

type usageCommand struct {
	serverFlags
	From    string `help:"Date or time of the beginning, UTC. [30 days ago]" placeholder:"TIME"`
	To      string `help:"Date or time of the end, not included. [now]" placeholder:"TIME"`
	GroupBy string `help:"day, assistant, version, model or key." enum:"day,assistant,version,model,key" default:"day" placeholder:"WHAT"`
	CSV     bool   `name:"csv" xor:"format" help:"Print comma-separated values."`
	JSON    bool   `name:"json" xor:"format" help:"Print the answer as JSON."`
}

// Help shows examples.
func (usageCommand) Help() string {
	return `Examples:
  elumenta usage
  elumenta usage --group-by assistant --from 2026-01-01 --to 2026-02-01
  elumenta usage --group-by model --csv > models.csv`
}

// usageSums is what the table shows of a group.
type usageSums struct {
	Group            string
	Requests         int64
	Failures         int64
	TokensSpent      int64   `json:"tokens_spent"`
	PromptTokens     int64   `json:"prompt_tokens"`
	CachedTokens     int64   `json:"cached_tokens"`
	CompletionTokens int64   `json:"completion_tokens"`
	CacheMisses      int64   `json:"cache_misses"`
	CacheHitRate     float64 `json:"cache_hit_rate"`
	LatencyP50       float64 `json:"latency_p50_ms"`
	LatencyP95       float64 `json:"latency_p95_ms"`
}

// Run prints the usage of the key's account.
func (c *usageCommand) Run(p *program) error {
	cl, err := c.client(p)
	if err != nil {
		return err
	}
	defer cl.close()
	ctx, stop := interruptible()
	defer stop()
	query := url.Values{"group_by": {c.GroupBy}}
	for name, value := range map[string]string{"from": c.From, "to": c.To} {
		if value != "" {
			query.Set(name, value)
		}
	}
	path := "/api/v2/usage?" + query.Encode()
	if c.CSV {
		return cl.copy(ctx, p.stdout, path, "Accept", "text/csv")
	}
	var raw json.RawMessage
	if _, err := cl.call(ctx, "GET", path, nil, &raw); err != nil {
		return err
	}
	if c.JSON {
		return p.printJSON(raw)
	}
	var answer struct {
		Items []usageSums
		Total usageSums
	}
	_ = json.Unmarshal(raw, &answer) // what a newer server may have changed is left empty
	answer.Total.Group = "total"
	return p.table(func(w *tabwriter.Writer) {
		_, _ = fmt.Fprintf(w, "%s\tREQUESTS\tFAILURES\tTOKENS\tPROMPT\tCACHED\tCOMPLETION\tCACHE HITS\tMISSES\tP50\tP95\n", strings.ToUpper(c.GroupBy))
		for _, g := range append(answer.Items, answer.Total) {
			_, _ = fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%.0f %%\t%d\t%.0f ms\t%.0f ms\n", printable(g.Group), g.Requests, g.Failures, g.TokensSpent,
				g.PromptTokens, g.CachedTokens, g.CompletionTokens, 100*g.CacheHitRate, g.CacheMisses, g.LatencyP50, g.LatencyP95)
		}
	})
}

// copy writes an answer out as it comes.
func (c *client) copy(ctx context.Context, to io.Writer, path string, headers ...string) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	resp, err := c.send(ctx, "GET", path, nil, headers...)
	if err != nil {
		return err
	}
	defer func() { _ = resp.Body.Close() }()
	n, err := io.Copy(to, io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("copy the answer of %s: %w", c.base, err)
	}
	if n == maxAnswer {
		return fmt.Errorf("the answer of %s is cut off at %d bytes", c.base, n)
	}
	return nil
}
