package main

import (
	"context"
	"fmt"
)

const (
	hotConns  = 64
	hotTarget = 0.8
)

// hotRow says what it costs that all connections call one account.
type hotRow struct {
	One   sample  `json:"one_account"`
	Many  sample  `json:"many_accounts"`
	Ratio float64 `json:"ratio"`
}

// hotAccount compares one account that is called from all connections with as many accounts as connections.
func (b *bench) hotAccount(ctx context.Context, in *installation, one *measured) error {
	many := &measured{process: one.process}
	for range hotConns {
		key, err := in.account(ctx, payingPlan)
		if err != nil {
			return err
		}
		assistant, err := createAssistant(ctx, one.addr, key)
		if err != nil {
			return err
		}
		many.whole = append(many.whole, generate(key, generateBody(assistant, false)))
	}
	var ones, manies []sample
	var ratios []float64
	for range b.rounds {
		each, _, err := b.round(ctx, many, false, hotConns)
		if err != nil {
			return fmt.Errorf("%d accounts: %w", hotConns, err)
		}
		hot, _, err := b.round(ctx, one, false, hotConns)
		if err != nil {
			return fmt.Errorf("one account: %w", err)
		}
		ones, manies, ratios = append(ones, hot), append(manies, each), append(ratios, hot.Rate/each.Rate)
	}
	row := &hotRow{One: medians(ones), Many: medians(manies), Ratio: median(ratios)}
	b.printf("one account %.0f/s, %d accounts %.0f/s, both with a balance and from %d connections: ratio %.2f (target %.1f)\n",
		row.One.Rate, hotConns, row.Many.Rate, hotConns, row.Ratio, hotTarget)
	b.report.Hot = row
	return nil
}
