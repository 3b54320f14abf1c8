package console

import (
	"encoding/json"
	"time"
)

// List is a page of a list, as the API answers it.
type List[T any] struct {
	Items      []T     `json:"items"`
	NextCursor *string `json:"next_cursor"`
}

// User is GET /user/me.
type User struct {
	ID            string     `json:"id"`
	DisplayName   string     `json:"display_name"`
	Plan          string     `json:"plan"`
	PlanExpiresAt *time.Time `json:"plan_expires_at"`
	TokenBalance  int64      `json:"token_balance"`
	CreatedAt     time.Time  `json:"created_at"`
	Storage       struct {
		UsedBytes  int64  `json:"used_bytes"`
		LimitBytes *int64 `json:"limit_bytes"`
	} `json:"storage"`
}

// Variable is one of an assistant's.
type Variable struct {
	Name        string  `json:"name"`
	Description string  `json:"description,omitempty"`
	Default     *string `json:"default,omitempty"`
	Required    bool    `json:"required,omitempty"`
}

// Fields are what a version of an assistant holds.
type Fields struct {
	Name           string            `json:"name"`
	Model          string            `json:"model"`
	Instructions   string            `json:"instructions"`
	Description    string            `json:"description"`
	Category       *string           `json:"category"`
	Temperature    *float64          `json:"temperature"`
	MaxTokens      *int              `json:"max_tokens"`
	ResponseFormat json.RawMessage   `json:"response_format"`
	Variables      []Variable        `json:"variables"`
	Metadata       map[string]string `json:"metadata"`
	Copyable       bool              `json:"copyable"`
}

// Assistant is one of the caller's own.
type Assistant struct {
	ID         string     `json:"id"`
	Visibility string     `json:"visibility"`
	TakenDown  *TakenDown `json:"taken_down"`
	Version    int        `json:"version"`
	CreatedAt  time.Time  `json:"created_at"`
	UpdatedAt  time.Time  `json:"updated_at"`
	Fields
}

// Uses is how much others use an assistant: charged generations ever, and accounts in the last 30 days.
type Uses struct {
	Uses     int64 `json:"uses"`
	Accounts int64 `json:"accounts"`
}

// TakenDown is why an operator unpublished an assistant.
type TakenDown struct {
	Reason string    `json:"reason"`
	At     time.Time `json:"at"`
}

// Listing is the public view of a published assistant.
type Listing struct {
	ID          string     `json:"id"`
	Name        string     `json:"name"`
	Description string     `json:"description"`
	Category    string     `json:"category"`
	Model       string     `json:"model"`
	Version     int        `json:"version"`
	Author      string     `json:"author"`
	Uses        int64      `json:"uses"`
	Copyable    bool       `json:"copyable"`
	Variables   []Variable `json:"variables"`
	CreatedAt   time.Time  `json:"created_at"`
	UpdatedAt   time.Time  `json:"updated_at"`
}

// Category is one of the marketplace's.
type Category struct {
	Slug  string `json:"slug"`
	Name  string `json:"name"`
	Count int64  `json:"count"`
}

// Model is one of the catalog.
type Model struct {
	Slug              string `json:"slug"`
	Name              string `json:"name"`
	Provider          string `json:"provider"`
	MinPlan           string `json:"min_plan"`
	TokenCost         int64  `json:"token_cost"`
	Description       string `json:"description"`
	ContextWindow     int64  `json:"context_window"`
	SupportsStreaming bool   `json:"supports_streaming"`
	SupportsVision    bool   `json:"supports_vision"`
	CacheMinimum      *int64 `json:"cache_minimum"`
	Available         bool   `json:"available"`
}

// Version is a saved version.
type Version struct {
	Number    int       `json:"version"`
	CreatedAt time.Time `json:"created_at"`
	Note      string    `json:"note"`
	Public    bool      `json:"public"`
	Fields
}
