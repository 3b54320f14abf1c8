package config

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// file is what a configuration file may hold. A nil field is one that it does not mention.
type file struct {
	Addr           *string         `key:"addr"`
	Database       *string         `key:"database"`
	MetricsAddr    *string         `key:"metrics_addr"`
	TrustedProxies *[]string       `key:"trusted_proxies"`
	CORSOrigins    *[]string       `key:"cors_origins"`
	DrainDelay     *duration       `key:"drain_delay"`
	DrainTimeout   *duration       `key:"drain_timeout"`
	TLS            fileTLS         `key:"tls"`
	Log            fileLog         `key:"log"`
	Limits         fileLimits      `key:"limits"`
	Usage          fileUsage       `key:"usage"`
	Marketplace    fileMarketplace `key:"marketplace"`
	PlanOrder      []string        `key:"plan_order"`
	Plans          []filePlan      `key:"plans"`
	Providers      []fileProvider  `key:"providers"`
	Models         []fileModel     `key:"models"`
}

type fileTLS struct {
	Cert *string `key:"cert"`
	Key  *string `key:"key"`
}

type fileLog struct {
	Format *string `key:"format"`
	Level  *string `key:"level"`
}

type fileLimits struct {
	FirstPiece        *duration `key:"first_piece"`
	BetweenPieces     *duration `key:"between_pieces"`
	Generation        *duration `key:"generation"`
	GenerateBody      *size     `key:"generate_body"`
	AssistantBody     *size     `key:"assistant_body"`
	OtherBody         *size     `key:"other_body"`
	AssistantStorage  *room     `key:"assistant_storage"`
	OpenGenerations   *int64    `key:"open_generations"`
	RequestsPerMinute *int64    `key:"requests_per_minute"`
	RetryBudget       *int64    `key:"retry_budget_percent"`
}

type fileUsage struct {
	KeepRecords *days `key:"keep_records"`
}

type fileMarketplace struct {
	DeniedNames    *[]string `key:"denied_names"`
	Starters       *bool     `key:"starters"`
	UpdateStarters *bool     `key:"update_starters"`
}

type filePlan struct {
	Name            *string `key:"name"`
	OnceTokens      *int64  `key:"once_tokens"`
	MonthlyTokens   *int64  `key:"monthly_tokens"`
	PerHour         *int64  `key:"per_hour"`
	PerDay          *int64  `key:"per_day"`
	OpenGenerations *int64  `key:"open_generations"`
	Unlimited       *bool   `key:"unlimited"`
}

type fileProvider struct {
	Name      *string `key:"name"`
	Format    *string `key:"format"`
	BaseURL   *string `key:"base_url"`
	APIKey    *string `key:"api_key"`
	APIKeyEnv *string `key:"api_key_env"`

	CircuitBreaker *bool `key:"circuit_breaker"`
}

type fileModel struct {
	Slug               *string    `key:"slug"`
	Name               *string    `key:"name"`
	Description        *string    `key:"description"`
	Provider           *string    `key:"provider"`
	UpstreamID         *string    `key:"upstream_id"`
	MinPlan            *string    `key:"min_plan"`
	TokenCost          *int64     `key:"token_cost"`
	ContextWindow      *int       `key:"context_window"`
	MaxOutputTokens    *int       `key:"max_output_tokens"`
	Temperature        *[]float64 `key:"temperature"`
	TopP               *[]float64 `key:"top_p"`
	Stop               *int       `key:"stop"`
	JSONObject         *bool      `key:"json_object"`
	JSONSchema         *bool      `key:"json_schema"`
	Tools              *bool      `key:"tools"`
	Vision             *bool      `key:"vision"`
	FetchesURLs        *bool      `key:"fetches_urls"`
	Cache              *string    `key:"cache"`
	CacheMinimum       *int       `key:"cache_minimum"`
	CacheTTL           *duration  `key:"cache_ttl"`
	ChatMaxTokensField *string    `key:"chat_max_tokens_field"`
	ChatStreamOptions  *bool      `key:"chat_stream_options"`
	RetiresAt          *date      `key:"retires_at"`
	ReplacedBy         *string    `key:"replaced_by"`

	Routes     []fileRoute `key:"routes"`
	HedgeAfter *duration   `key:"hedge_after"`
}

type fileRoute struct {
	Provider   *string `key:"provider"`
	UpstreamID *string `key:"upstream_id"`
	Region     *string `key:"region"`
	Order      *int    `key:"order"`
	Weight     *int    `key:"weight"`
}

// duration is written as Go writes it: 30s, 1m30s.
type duration time.Duration

// UnmarshalText reads a duration that is not negative.
func (d *duration) UnmarshalText(b []byte) error {
	v, err := time.ParseDuration(string(b))
	if err != nil {
		return errors.New(`must be a duration such as "30s" or "1m30s"`)
	}
	if v < 0 {
		return errors.New("must not be negative")
	}
	*d = duration(v)
	return nil
}

// days are written as 90d; 0 is none.
type days time.Duration

// UnmarshalText reads a number of days of at most a hundred years.
func (d *days) UnmarshalText(b []byte) error {
	text := string(b)
	digits, ok := strings.CutSuffix(text, "d")
	n, err := strconv.ParseUint(digits, 10, 32)
	if err != nil || !ok && text != "0" || n > 36_500 {
		return errors.New(`must be a number of days such as "90d", at most "36500d", or "0"`)
	}
	*d = days(time.Duration(n) * 24 * time.Hour)
	return nil
}

// size is a number of bytes: 512KiB, 20MiB.
type size int64

// UnmarshalText reads a size above 0 and at most 1 GiB.
func (s *size) UnmarshalText(b []byte) error {
	n, err := humanize.ParseBytes(strings.TrimSpace(string(b)))
	if err != nil || n == 0 || n > 1<<30 {
		return errors.New(`must be a size such as "64KiB" or "20MiB", above 0 and at most 1GiB`)
	}
	*s = size(n)
	return nil
}

// room is a number of bytes that may be stored: 500MiB, 1GiB; 0 is no limit.
type room int64

// maxRoom is more than any disk has.
const maxRoom = 1 << 50

// UnmarshalText reads a size of at most 1 PiB, or 0.
func (r *room) UnmarshalText(b []byte) error {
	n, err := humanize.ParseBytes(strings.TrimSpace(string(b)))
	if err != nil || n > maxRoom {
		return errors.New(`must be a size such as "500MiB" or "1GiB", at most "1PiB", or "0"`)
	}
	*r = room(n)
	return nil
}

// date is a day, UTC: 2026-12-11.
type date time.Time

// UnmarshalText reads a day.
func (d *date) UnmarshalText(b []byte) error {
	t, err := time.Parse(time.DateOnly, string(b))
	if err != nil {
		return errors.New(`must be a date such as 2026-12-31`)
	}
	*d = date(t)
	return nil
}
