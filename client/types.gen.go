// Code generated from the server's OpenAPI document by oapi-codegen v2.8.2: make clients. DO NOT EDIT.

package client

import (
	"time"
)

// Defines values for AdminAccountRole.
const (
	AdminAccountRoleAdmin AdminAccountRole = "admin"
	AdminAccountRoleUser  AdminAccountRole = "user"
)

// Defines values for AdminReportReason.
const (
	AdminReportReasonCopyright     AdminReportReason = "copyright"
	AdminReportReasonHarmful       AdminReportReason = "harmful"
	AdminReportReasonIllegal       AdminReportReason = "illegal"
	AdminReportReasonImpersonation AdminReportReason = "impersonation"
	AdminReportReasonOther         AdminReportReason = "other"
	AdminReportReasonSexual        AdminReportReason = "sexual"
	AdminReportReasonSpam          AdminReportReason = "spam"
)

// Defines values for AdminReportState.
const (
	AdminReportStateDismissed AdminReportState = "dismissed"
	AdminReportStateOpen      AdminReportState = "open"
	AdminReportStateUpheld    AdminReportState = "upheld"
)

// Defines values for AssistantVisibility.
const (
	AssistantVisibilityMarketplace AssistantVisibility = "marketplace"
	AssistantVisibilityPrivate     AssistantVisibility = "private"
)

// Defines values for CacheReason.
const (
	CacheReasonExpired            CacheReason = "expired"
	CacheReasonFirst              CacheReason = "first"
	CacheReasonOtherUpstream      CacheReason = "other_upstream"
	CacheReasonPrefixBelowMinimum CacheReason = "prefix_below_minimum"
	CacheReasonPrefixChanged      CacheReason = "prefix_changed"
	CacheReasonUnknown            CacheReason = "unknown"
)

// Defines values for CacheStatus.
const (
	CacheStatusBelowMinimum CacheStatus = "below_minimum"
	CacheStatusHit          CacheStatus = "hit"
	CacheStatusMiss         CacheStatus = "miss"
	CacheStatusUnsupported  CacheStatus = "unsupported"
	CacheStatusWritten      CacheStatus = "written"
)

// Defines values for ContentDeltaType.
const (
	ContentDeltaTypeContentDelta ContentDeltaType = "content_delta"
)

// Defines values for CreateAssistantVisibility.
const (
	CreateAssistantVisibilityMarketplace CreateAssistantVisibility = "marketplace"
	CreateAssistantVisibilityPrivate     CreateAssistantVisibility = "private"
)

// Defines values for ErrorCode.
const (
	ErrorCodeAccountSuspended   ErrorCode = "account_suspended"
	ErrorCodeBadRequest         ErrorCode = "bad_request"
	ErrorCodeConflict           ErrorCode = "conflict"
	ErrorCodeForbidden          ErrorCode = "forbidden"
	ErrorCodeInsufficientPlan   ErrorCode = "insufficient_plan"
	ErrorCodeInsufficientTokens ErrorCode = "insufficient_tokens"
	ErrorCodeInternalError      ErrorCode = "internal_error"
	ErrorCodeModelUnavailable   ErrorCode = "model_unavailable"
	ErrorCodeNotAuthenticated   ErrorCode = "not_authenticated"
	ErrorCodeNotFound           ErrorCode = "not_found"
	ErrorCodePayloadTooLarge    ErrorCode = "payload_too_large"
	ErrorCodeProviderError      ErrorCode = "provider_error"
	ErrorCodeProviderRejected   ErrorCode = "provider_rejected"
	ErrorCodeProviderTimeout    ErrorCode = "provider_timeout"
	ErrorCodeRateLimitExceeded  ErrorCode = "rate_limit_exceeded"
	ErrorCodeServiceUnavailable ErrorCode = "service_unavailable"
	ErrorCodeTooManyStreams     ErrorCode = "too_many_streams"
	ErrorCodeValidationError    ErrorCode = "validation_error"
	ErrorCodeVersionConflict    ErrorCode = "version_conflict"
)

// Defines values for GenerationFinishReason.
const (
	GenerationFinishReasonContentFilter GenerationFinishReason = "content_filter"
	GenerationFinishReasonLength        GenerationFinishReason = "length"
	GenerationFinishReasonRefusal       GenerationFinishReason = "refusal"
	GenerationFinishReasonStop          GenerationFinishReason = "stop"
)

// Defines values for GenerationStatus.
const (
	GenerationStatusCompleted GenerationStatus = "completed"
)

// Defines values for GenerationEndFinishReason.
const (
	GenerationEndFinishReasonContentFilter GenerationEndFinishReason = "content_filter"
	GenerationEndFinishReasonLength        GenerationEndFinishReason = "length"
	GenerationEndFinishReasonRefusal       GenerationEndFinishReason = "refusal"
	GenerationEndFinishReasonStop          GenerationEndFinishReason = "stop"
)

// Defines values for GenerationEndType.
const (
	GenerationEndTypeGenerationEnd GenerationEndType = "generation_end"
)

// Defines values for GenerationStartType.
const (
	GenerationStartTypeGenerationStart GenerationStartType = "generation_start"
)

// Defines values for GenerationWarningCode.
const (
	GenerationWarningCodeClampedSetting        GenerationWarningCode = "clamped_setting"
	GenerationWarningCodeImageDetailIgnored    GenerationWarningCode = "image_detail_ignored"
	GenerationWarningCodeModelRetiring         GenerationWarningCode = "model_retiring"
	GenerationWarningCodeReasoningStateRefused GenerationWarningCode = "reasoning_state_refused"
	GenerationWarningCodeSystemMessageMoved    GenerationWarningCode = "system_message_moved"
	GenerationWarningCodeUnknownField          GenerationWarningCode = "unknown_field"
	GenerationWarningCodeUnsupportedSetting    GenerationWarningCode = "unsupported_setting"
)

// Defines values for ImagePartType.
const (
	ImagePartTypeImageURL ImagePartType = "image_url"
)

// Defines values for ImportAssistantVisibility.
const (
	ImportAssistantVisibilityMarketplace ImportAssistantVisibility = "marketplace"
	ImportAssistantVisibilityPrivate     ImportAssistantVisibility = "private"
)

// Defines values for LedgerDestination.
const (
	LedgerDestinationAvailable LedgerDestination = "available"
	LedgerDestinationExpired   LedgerDestination = "expired"
	LedgerDestinationGranted   LedgerDestination = "granted"
	LedgerDestinationReserved  LedgerDestination = "reserved"
	LedgerDestinationSpent     LedgerDestination = "spent"
	LedgerDestinationToppedUp  LedgerDestination = "topped_up"
)

// Defines values for LedgerKind.
const (
	LedgerKindCorrection LedgerKind = "correction"
	LedgerKindExpire     LedgerKind = "expire"
	LedgerKindGiveBack   LedgerKind = "give_back"
	LedgerKindGrant      LedgerKind = "grant"
	LedgerKindReserve    LedgerKind = "reserve"
	LedgerKindSettle     LedgerKind = "settle"
	LedgerKindTopup      LedgerKind = "topup"
)

// Defines values for LedgerSource.
const (
	LedgerSourceAvailable LedgerSource = "available"
	LedgerSourceExpired   LedgerSource = "expired"
	LedgerSourceGranted   LedgerSource = "granted"
	LedgerSourceReserved  LedgerSource = "reserved"
	LedgerSourceSpent     LedgerSource = "spent"
	LedgerSourceToppedUp  LedgerSource = "topped_up"
)

// Defines values for MessageRole.
const (
	MessageRoleAssistant MessageRole = "assistant"
	MessageRoleSystem    MessageRole = "system"
	MessageRoleUser      MessageRole = "user"
)

// Defines values for NewAccountRole.
const (
	NewAccountRoleAdmin NewAccountRole = "admin"
	NewAccountRoleUser  NewAccountRole = "user"
)

// Defines values for NewReportReason.
const (
	NewReportReasonCopyright     NewReportReason = "copyright"
	NewReportReasonHarmful       NewReportReason = "harmful"
	NewReportReasonIllegal       NewReportReason = "illegal"
	NewReportReasonImpersonation NewReportReason = "impersonation"
	NewReportReasonOther         NewReportReason = "other"
	NewReportReasonSexual        NewReportReason = "sexual"
	NewReportReasonSpam          NewReportReason = "spam"
)

// Defines values for ReportReason.
const (
	ReportReasonCopyright     ReportReason = "copyright"
	ReportReasonHarmful       ReportReason = "harmful"
	ReportReasonIllegal       ReportReason = "illegal"
	ReportReasonImpersonation ReportReason = "impersonation"
	ReportReasonOther         ReportReason = "other"
	ReportReasonSexual        ReportReason = "sexual"
	ReportReasonSpam          ReportReason = "spam"
)

// Defines values for ReportedAssistantVisibility.
const (
	ReportedAssistantVisibilityMarketplace ReportedAssistantVisibility = "marketplace"
	ReportedAssistantVisibilityPrivate     ReportedAssistantVisibility = "private"
)

// Defines values for ResponseFormatType.
const (
	ResponseFormatTypeJSONObject ResponseFormatType = "json_object"
	ResponseFormatTypeJSONSchema ResponseFormatType = "json_schema"
	ResponseFormatTypeText       ResponseFormatType = "text"
)

// Defines values for ReviewVisibility.
const (
	ReviewVisibilityMarketplace ReviewVisibility = "marketplace"
	ReviewVisibilityPrivate     ReviewVisibility = "private"
)

// Defines values for RouteState.
const (
	RouteStateClosed   RouteState = "closed"
	RouteStateHalfOpen RouteState = "half_open"
	RouteStateOpen     RouteState = "open"
	RouteStateResting  RouteState = "resting"
)

// Defines values for StatementDestination.
const (
	StatementDestinationAvailable StatementDestination = "available"
	StatementDestinationExpired   StatementDestination = "expired"
	StatementDestinationGranted   StatementDestination = "granted"
	StatementDestinationReserved  StatementDestination = "reserved"
	StatementDestinationSpent     StatementDestination = "spent"
	StatementDestinationToppedUp  StatementDestination = "topped_up"
)

// Defines values for StatementKind.
const (
	StatementKindCorrection StatementKind = "correction"
	StatementKindExpire     StatementKind = "expire"
	StatementKindGiveBack   StatementKind = "give_back"
	StatementKindGrant      StatementKind = "grant"
	StatementKindReserve    StatementKind = "reserve"
	StatementKindSettle     StatementKind = "settle"
	StatementKindTopup      StatementKind = "topup"
)

// Defines values for StatementSource.
const (
	StatementSourceAvailable StatementSource = "available"
	StatementSourceExpired   StatementSource = "expired"
	StatementSourceGranted   StatementSource = "granted"
	StatementSourceReserved  StatementSource = "reserved"
	StatementSourceSpent     StatementSource = "spent"
	StatementSourceToppedUp  StatementSource = "topped_up"
)

// Defines values for TextPartType.
const (
	TextPartTypeText TextPartType = "text"
)

// Defines values for UpdateAccountRole.
const (
	UpdateAccountRoleAdmin UpdateAccountRole = "admin"
	UpdateAccountRoleUser  UpdateAccountRole = "user"
)

// Defines values for AdminListAccountsParamsSuspended.
const (
	AdminListAccountsParamsSuspendedFalse AdminListAccountsParamsSuspended = "false"
	AdminListAccountsParamsSuspendedTrue  AdminListAccountsParamsSuspended = "true"
)

// Defines values for AdminListAuditParamsAction.
const (
	AdminListAuditParamsActionAccountCreated            AdminListAuditParamsAction = "account.created"
	AdminListAuditParamsActionAccountPlanChanged        AdminListAuditParamsAction = "account.plan_changed"
	AdminListAuditParamsActionAccountRenamed            AdminListAuditParamsAction = "account.renamed"
	AdminListAuditParamsActionAccountResumed            AdminListAuditParamsAction = "account.resumed"
	AdminListAuditParamsActionAccountRoleChanged        AdminListAuditParamsAction = "account.role_changed"
	AdminListAuditParamsActionAccountSuspended          AdminListAuditParamsAction = "account.suspended"
	AdminListAuditParamsActionAccountToppedUp           AdminListAuditParamsAction = "account.topped_up"
	AdminListAuditParamsActionAssistantAllowed          AdminListAuditParamsAction = "assistant.allowed"
	AdminListAuditParamsActionAssistantDeleted          AdminListAuditParamsAction = "assistant.deleted"
	AdminListAuditParamsActionAssistantPublished        AdminListAuditParamsAction = "assistant.published"
	AdminListAuditParamsActionAssistantRead             AdminListAuditParamsAction = "assistant.read"
	AdminListAuditParamsActionAssistantReportsDismissed AdminListAuditParamsAction = "assistant.reports_dismissed"
	AdminListAuditParamsActionAssistantTakenDown        AdminListAuditParamsAction = "assistant.taken_down"
	AdminListAuditParamsActionAssistantUnpublished      AdminListAuditParamsAction = "assistant.unpublished"
	AdminListAuditParamsActionKeyChanged                AdminListAuditParamsAction = "key.changed"
	AdminListAuditParamsActionKeyCreated                AdminListAuditParamsAction = "key.created"
	AdminListAuditParamsActionKeyRevoked                AdminListAuditParamsAction = "key.revoked"
	AdminListAuditParamsActionSessionEnded              AdminListAuditParamsAction = "session.ended"
	AdminListAuditParamsActionSessionStarted            AdminListAuditParamsAction = "session.started"
)

// Defines values for AdminListReportsParamsState.
const (
	AdminListReportsParamsStateDismissed AdminListReportsParamsState = "dismissed"
	AdminListReportsParamsStateOpen      AdminListReportsParamsState = "open"
	AdminListReportsParamsStateUpheld    AdminListReportsParamsState = "upheld"
)

// Defines values for AdminGetUsageParamsGroupBy.
const (
	AdminGetUsageParamsGroupByAccount AdminGetUsageParamsGroupBy = "account"
	AdminGetUsageParamsGroupByDay     AdminGetUsageParamsGroupBy = "day"
	AdminGetUsageParamsGroupByModel   AdminGetUsageParamsGroupBy = "model"
)

// Defines values for ListMarketplaceParamsSort.
const (
	ListMarketplaceParamsSortName    ListMarketplaceParamsSort = "name"
	ListMarketplaceParamsSortNew     ListMarketplaceParamsSort = "new"
	ListMarketplaceParamsSortPopular ListMarketplaceParamsSort = "popular"
)

// Defines values for GetUsageParamsGroupBy.
const (
	GetUsageParamsGroupByAssistant GetUsageParamsGroupBy = "assistant"
	GetUsageParamsGroupByDay       GetUsageParamsGroupBy = "day"
	GetUsageParamsGroupByKey       GetUsageParamsGroupBy = "key"
	GetUsageParamsGroupByModel     GetUsageParamsGroupBy = "model"
	GetUsageParamsGroupByVersion   GetUsageParamsGroupBy = "version"
)

// AdminAccount defines model for AdminAccount.
type AdminAccount struct {
	CreatedAt   time.Time `json:"created_at"`
	DisplayName string    `json:"display_name"`
	ID          string    `json:"id"`

	// MonthlyTokens The plan's own tokens, spent first.
	MonthlyTokens int64 `json:"monthly_tokens"`

	// PeriodEndsAt When the plan's month ends; null for a plan without months.
	PeriodEndsAt *time.Time `json:"period_ends_at"`
	Plan         string     `json:"plan"`

	// PlanExpiresAt When the account falls back to the least plan; null for never.
	PlanExpiresAt *time.Time       `json:"plan_expires_at"`
	Role          AdminAccountRole `json:"role"`
	Suspended     bool             `json:"suspended"`

	// TokenBalance The sum. On an unlimited plan nothing is taken from it.
	TokenBalance int64 `json:"token_balance"`

	// TopupTokens They never expire.
	TopupTokens int64 `json:"topup_tokens"`
}

// AdminAccountRole defines model for AdminAccount.Role.
type AdminAccountRole string

// AdminKey defines model for AdminKey.
type AdminKey struct {
	AccountID string `json:"account_id"`

	// Assistants What it may generate with; null for all, and for no assistant.
	Assistants *[]string `json:"assistants"`

	// Budget How many tokens it may spend in all; null for no limit.
	Budget *int64 `json:"budget"`

	// BudgetSpent What it has spent and reserved while it had a budget; null without one.
	BudgetSpent *int64    `json:"budget_spent"`
	CreatedAt   time.Time `json:"created_at"`

	// ExpiresAt When it stops working; null for never.
	ExpiresAt *time.Time `json:"expires_at"`
	ID        string     `json:"id"`

	// LastUsedAt Follows the use within seconds; null for a key that was never used.
	LastUsedAt *time.Time `json:"last_used_at"`

	// Models Slugs of what it may generate with; null for all.
	Models *[]string `json:"models"`
	Name   string    `json:"name"`

	// Prefix The first 8 characters of the key.
	Prefix string `json:"prefix"`

	// ReadOnly It reads, and neither changes anything nor generates.
	ReadOnly bool `json:"read_only"`
}

// AdminReport defines model for AdminReport.
type AdminReport struct {
	// AccountID Who reports. The author does not learn that.
	AccountID string    `json:"account_id"`
	Comment   string    `json:"comment"`
	CreatedAt time.Time `json:"created_at"`

	// DecidedAt null while it is open.
	DecidedAt *time.Time        `json:"decided_at"`
	Reason    AdminReportReason `json:"reason"`
	State     AdminReportState  `json:"state"`

	// Version The newest public version when it was reported.
	Version int64 `json:"version"`
}

// AdminReportReason defines model for AdminReport.Reason.
type AdminReportReason string

// AdminReportState defines model for AdminReport.State.
type AdminReportState string

// Assistant defines model for Assistant.
type Assistant struct {
	Category *string `json:"category"`

	// Copyable Whether others may copy it once it is published, and so read its instructions.
	Copyable     bool              `json:"copyable"`
	CreatedAt    time.Time         `json:"created_at"`
	Description  string            `json:"description"`
	ID           string            `json:"id"`
	Instructions string            `json:"instructions"`
	MaxTokens    *int64            `json:"max_tokens"`
	Metadata     map[string]string `json:"metadata"`

	// Model A slug of the catalog.
	Model          string          `json:"model"`
	Name           string          `json:"name"`
	ResponseFormat *ResponseFormat `json:"response_format"`

	// TakenDown null, or why and when an operator took it from the marketplace: it cannot be published.
	TakenDown   *TakenDown `json:"taken_down"`
	Temperature *float64   `json:"temperature"`
	UpdatedAt   time.Time  `json:"updated_at"`
	Variables   []Variable `json:"variables"`

	// Version The newest version.
	Version    int64               `json:"version"`
	Visibility AssistantVisibility `json:"visibility"`
}

// AssistantVisibility defines model for Assistant.Visibility.
type AssistantVisibility string

// Attempt defines model for Attempt.
type Attempt struct {
	DurationMs int64 `json:"duration_ms"`

	// Error Why it failed (auth, rate_limited, overloaded, unreachable, timeout, truncated, malformed, failed; rejected where the state of an earlier answer was; cancelled, where another call began to answer first); null for the one that gave the answer.
	Error    *string `json:"error"`
	Provider string  `json:"provider"`
	Region   string  `json:"region,omitempty"`
}

// Audit defines model for Audit.
type Audit struct {
	// AccountID Whose affair it is.
	AccountID *string `json:"account_id"`
	Action    string  `json:"action"`

	// Actor Who did it: an account's id, cli for a command on the database, or empty for the server itself.
	Actor string `json:"actor"`

	// Address From where the actor called.
	Address *string   `json:"address"`
	At      time.Time `json:"at"`

	// Details Plans, numbers and ids, and an operator's reason.
	Details map[string]interface{} `json:"details"`

	// Hash SHA-256 of the entry and the hash before it.
	Hash string `json:"hash"`

	// KeyID The actor's key.
	KeyID *string `json:"key_id"`

	// Seq Numbers the entries from 1, without gaps.
	Seq int64 `json:"seq"`

	// Target The id of what it was done to.
	Target string `json:"target"`
}

// Balance defines model for Balance.
type Balance struct {
	// MonthlyTokens The plan's own tokens, spent first.
	MonthlyTokens int64 `json:"monthly_tokens"`

	// PeriodEndsAt When the plan's month ends; null for a plan without months.
	PeriodEndsAt  *time.Time `json:"period_ends_at"`
	Plan          string     `json:"plan"`
	PlanExpiresAt *time.Time `json:"plan_expires_at"`

	// TokenBalance The sum. On an unlimited plan nothing is taken from it.
	TokenBalance int64 `json:"token_balance"`

	// TopupTokens They never expire.
	TopupTokens int64 `json:"topup_tokens"`
}

// Cache defines model for Cache.
type Cache struct {
	// Minimum The smallest prompt that the provider caches.
	Minimum int64 `json:"minimum"`

	// Reason Why nothing was read, with miss and written, as far as the node that answered can know. A hit was due with all but the first two.
	Reason CacheReason `json:"reason,omitempty"`
	Status CacheStatus `json:"status"`
}

// CacheReason Why nothing was read, with miss and written, as far as the node that answered can know. A hit was due with all but the first two.
type CacheReason string

// CacheStatus defines model for Cache.Status.
type CacheStatus string

// Category defines model for Category.
type Category struct {
	// Count Published assistants.
	Count int64  `json:"count"`
	Name  string `json:"name"`
	Slug  string `json:"slug"`
}

// ContentDelta defines model for ContentDelta.
type ContentDelta struct {
	Delta string           `json:"delta"`
	Type  ContentDeltaType `json:"type"`
}

// ContentDeltaType defines model for ContentDelta.Type.
type ContentDeltaType string

// CopyAssistant defines model for CopyAssistant.
type CopyAssistant struct {
	// Name The copy's name; the original's if it is left out.
	Name string `json:"name,omitempty"`

	// Version Which version to copy, one that you may pin; the newest if it is left out.
	Version int64 `json:"version,omitempty"`
}

// CreateAssistant defines model for CreateAssistant.
type CreateAssistant struct {
	// Category A category's slug; required to publish.
	Category string `json:"category,omitempty"`

	// Copyable Whether others may copy it once it is published, and so read its instructions.
	Copyable bool `json:"copyable,omitempty"`

	// Description Not empty to publish.
	Description  string `json:"description,omitempty"`
	Instructions string `json:"instructions"`
	MaxTokens    int64  `json:"max_tokens,omitempty"`

	// Metadata At most 16 pairs; keys of 64 and values of 512 characters.
	Metadata map[string]string `json:"metadata,omitzero"`

	// Model A slug of the catalog.
	Model string `json:"model"`

	// Name A single line without control characters.
	Name           string                    `json:"name"`
	ResponseFormat *ResponseFormat           `json:"response_format,omitempty"`
	Temperature    *float64                  `json:"temperature,omitempty"`
	Variables      []NewVariable             `json:"variables,omitzero"`
	Visibility     CreateAssistantVisibility `json:"visibility,omitempty"`
}

// CreateAssistantVisibility defines model for CreateAssistant.Visibility.
type CreateAssistantVisibility string

// CreateKey defines model for CreateKey.
type CreateKey struct {
	// Assistants Ids of what it may generate with, and then with nothing else.
	Assistants []string `json:"assistants,omitzero"`

	// Budget How many tokens it may spend in all, counted while it has a budget. What was counted is never set back: raise the budget to allow more.
	Budget *int64 `json:"budget,omitempty"`

	// ExpiresAt In the future.
	ExpiresAt *time.Time `json:"expires_at,omitempty"`

	// Models Slugs of what it may generate with.
	Models []string `json:"models,omitzero"`
	Name   string   `json:"name"`

	// ReadOnly Not together with assistants, models or budget.
	ReadOnly bool `json:"read_only,omitempty"`
}

// CreatedKey defines model for CreatedKey.
type CreatedKey struct {
	// Assistants What it may generate with; null for all, and for no assistant.
	Assistants *[]string `json:"assistants"`

	// Budget How many tokens it may spend in all; null for no limit.
	Budget *int64 `json:"budget"`

	// BudgetSpent What it has spent and reserved while it had a budget; null without one.
	BudgetSpent *int64    `json:"budget_spent"`
	CreatedAt   time.Time `json:"created_at"`

	// ExpiresAt When it stops working; null for never.
	ExpiresAt *time.Time `json:"expires_at"`
	ID        string     `json:"id"`

	// Key The key itself; null when an Idempotency-Key is used again, since it is not kept.
	Key *string `json:"key"`

	// Models Slugs of what it may generate with; null for all.
	Models *[]string `json:"models"`
	Name   string    `json:"name"`

	// ReadOnly It reads, and neither changes anything nor generates.
	ReadOnly bool `json:"read_only"`
}

// DisplayName defines model for DisplayName.
type DisplayName struct {
	DisplayName string `json:"display_name"`
}

// EntryBalance defines model for EntryBalance.
type EntryBalance struct {
	MonthlyTokens int64 `json:"monthly_tokens"`
	TokenBalance  int64 `json:"token_balance"`
	TopupTokens   int64 `json:"topup_tokens"`
}

// ErrorCode For programs; never changes its meaning.
type ErrorCode string

// GenerateRequest defines model for GenerateRequest.
type GenerateRequest struct {
	// AssistantID Whose instructions to use: asst_…, or asst_…@3 to pin version 3.
	AssistantID string    `json:"assistant_id,omitempty"`
	MaxTokens   int64     `json:"max_tokens,omitempty"`
	Messages    []Message `json:"messages,omitzero"`

	// Model A slug of the catalog; required without an assistant, overrides the assistant's with one.
	Model  string  `json:"model,omitempty"`
	Params *Params `json:"params,omitempty"`

	// Prompt One user message, after messages if both are given.
	Prompt         string          `json:"prompt,omitempty"`
	ResponseFormat *ResponseFormat `json:"response_format,omitempty"`
	Stop           []string        `json:"stop,omitempty"`

	// System A first system message.
	System string `json:"system,omitempty"`

	// Temperature Brought to the model's limits, with a warning.
	Temperature *float64 `json:"temperature,omitempty"`
	TopP        *float64 `json:"top_p,omitempty"`

	// User An opaque id of your own end user, only ever used hashed.
	User string `json:"user,omitempty"`

	// Variables Values, of at most 8,000 characters, for the variables that the assistant declares.
	Variables map[string]string `json:"variables,omitzero"`
}

// Generation defines model for Generation.
type Generation struct {
	// AssistantID null without an assistant.
	AssistantID      *string `json:"assistant_id"`
	AssistantVersion *int64  `json:"assistant_version"`

	// Attempts The calls of providers that the answer took, the one that gave it last.
	Attempts []Attempt `json:"attempts"`

	// BalanceRemaining null on an unlimited plan, and for a key that is limited to assistants, models or a budget.
	BalanceRemaining *int64                 `json:"balance_remaining"`
	Content          string                 `json:"content"`
	CreatedAt        time.Time              `json:"created_at"`
	FinishReason     GenerationFinishReason `json:"finish_reason"`
	ID               string                 `json:"id"`
	Model            string                 `json:"model"`
	Status           GenerationStatus       `json:"status"`

	// TokensSpent The price, in tokens of your balance.
	TokensSpent int64               `json:"tokens_spent"`
	Usage       GenerationUsage     `json:"usage"`
	Warnings    []GenerationWarning `json:"warnings"`
}

// GenerationFinishReason defines model for Generation.FinishReason.
type GenerationFinishReason string

// GenerationStatus defines model for Generation.Status.
type GenerationStatus string

// GenerationEnd defines model for GenerationEnd.
type GenerationEnd struct {
	// Attempts The calls of providers that the answer took, the one that gave it last.
	Attempts         []Attempt                 `json:"attempts"`
	BalanceRemaining *int64                    `json:"balance_remaining"`
	FinishReason     GenerationEndFinishReason `json:"finish_reason"`
	ID               string                    `json:"id"`
	TokensUsed       int64                     `json:"tokens_used"`
	Type             GenerationEndType         `json:"type"`
	Usage            GenerationUsage           `json:"usage"`
	Warnings         []GenerationWarning       `json:"warnings"`
}

// GenerationEndFinishReason defines model for GenerationEnd.FinishReason.
type GenerationEndFinishReason string

// GenerationEndType defines model for GenerationEnd.Type.
type GenerationEndType string

// GenerationStart defines model for GenerationStart.
type GenerationStart struct {
	AssistantID      *string             `json:"assistant_id"`
	AssistantVersion *int64              `json:"assistant_version"`
	CreatedAt        time.Time           `json:"created_at"`
	ID               string              `json:"id"`
	Model            string              `json:"model"`
	Type             GenerationStartType `json:"type"`
}

// GenerationStartType defines model for GenerationStart.Type.
type GenerationStartType string

// GenerationUsage defines model for GenerationUsage.
type GenerationUsage struct {
	Cache            Cache `json:"cache"`
	CacheWriteTokens int64 `json:"cache_write_tokens"`
	CachedTokens     int64 `json:"cached_tokens"`
	CompletionTokens int64 `json:"completion_tokens"`

	// PromptTokens The provider's tokens, the cached ones included.
	PromptTokens    int64 `json:"prompt_tokens"`
	ReasoningTokens int64 `json:"reasoning_tokens"`
	TotalTokens     int64 `json:"total_tokens"`
}

// GenerationWarning defines model for GenerationWarning.
type GenerationWarning struct {
	Code    GenerationWarningCode `json:"code"`
	Field   string                `json:"field"`
	Message string                `json:"message"`
}

// GenerationWarningCode defines model for GenerationWarning.Code.
type GenerationWarningCode string

// Health defines model for Health.
type Health struct {
	// Attempts Calls that have ended. One that is neither a success nor a failure was left by its client.
	Attempts int64 `json:"attempts"`

	// Failures By kind: rejected (of that input), auth, rate_limited, overloaded, unreachable, timeout, truncated, malformed, failed.
	Failures map[string]int64 `json:"failures"`

	// Keys Its keys, in the order of the configuration.
	Keys            []KeyHealth `json:"keys"`
	LastFailureAt   *time.Time  `json:"last_failure_at"`
	LastFailureKind *string     `json:"last_failure_kind"`
	LastSuccessAt   *time.Time  `json:"last_success_at"`

	// Routes The models that it serves.
	Routes    []Route `json:"routes"`
	Successes int64   `json:"successes"`
}

// Image defines model for Image.
type Image struct {
	// Detail Left out, with a warning.
	Detail string `json:"detail,omitempty"`

	// URL data:image/png;base64,… (PNG, JPEG, GIF or WebP) or https://… of a public host, which is only handed on to a provider that fetches by itself.
	URL string `json:"url"`
}

// ImagePart defines model for ImagePart.
type ImagePart struct {
	ImageURL Image         `json:"image_url"`
	Type     ImagePartType `json:"type"`
}

// ImagePartType defines model for ImagePart.Type.
type ImagePartType string

// ImportAssistant defines model for ImportAssistant.
type ImportAssistant struct {
	// Versions The oldest first; the last one is the newest. At most 1,000 beside those that change nothing but visibility.
	Versions   []ImportVersion           `json:"versions"`
	Visibility ImportAssistantVisibility `json:"visibility,omitempty"`
}

// ImportAssistantVisibility defines model for ImportAssistant.Visibility.
type ImportAssistantVisibility string

// ImportVersion defines model for ImportVersion.
type ImportVersion struct {
	Category string `json:"category,omitempty"`
	Copyable bool   `json:"copyable,omitempty"`

	// CreatedAt When it was saved; required for all but the newest, and never before that of the version before.
	CreatedAt    *time.Time        `json:"created_at,omitempty"`
	Description  string            `json:"description,omitempty"`
	Instructions string            `json:"instructions"`
	MaxTokens    int64             `json:"max_tokens,omitempty"`
	Metadata     map[string]string `json:"metadata,omitzero"`

	// Model A slug; that of the newest version must be in the catalog.
	Model string `json:"model"`

	// Name A single line without control characters.
	Name string `json:"name"`
	Note string `json:"note,omitempty"`

	// Public Whether others may pin it; it needs what publishing needs. The newest is public if the assistant is published.
	Public         bool            `json:"public,omitempty"`
	ResponseFormat *ResponseFormat `json:"response_format,omitempty"`
	Temperature    *float64        `json:"temperature,omitempty"`
	Variables      []NewVariable   `json:"variables,omitzero"`

	// Version Its number, higher than that of the version before; where one was withdrawn there is a gap.
	Version int64 `json:"version"`
}

// ItemsCategory defines model for ItemsCategory.
type ItemsCategory struct {
	Items []Category `json:"items"`
}

// ItemsLabel defines model for ItemsLabel.
type ItemsLabel struct {
	Items []Label `json:"items"`
}

// ItemsModel defines model for ItemsModel.
type ItemsModel struct {
	Items []Model `json:"items"`
}

// JSONSchema defines model for JSONSchema.
type JSONSchema struct {
	Name string `json:"name"`

	// Schema JSON Schema, of at most 64 KiB.
	Schema map[string]interface{} `json:"schema"`
	Strict bool                   `json:"strict,omitempty"`
}

// Key defines model for Key.
type Key struct {
	// Assistants What it may generate with; null for all, and for no assistant.
	Assistants *[]string `json:"assistants"`

	// Budget How many tokens it may spend in all; null for no limit.
	Budget *int64 `json:"budget"`

	// BudgetSpent What it has spent and reserved while it had a budget; null without one.
	BudgetSpent *int64    `json:"budget_spent"`
	CreatedAt   time.Time `json:"created_at"`

	// ExpiresAt When it stops working; null for never.
	ExpiresAt *time.Time `json:"expires_at"`
	ID        string     `json:"id"`

	// LastUsedAt Follows the use within seconds; null for a key that was never used.
	LastUsedAt *time.Time `json:"last_used_at"`

	// Models Slugs of what it may generate with; null for all.
	Models *[]string `json:"models"`
	Name   string    `json:"name"`

	// Prefix The first 8 characters of the key.
	Prefix string `json:"prefix"`

	// ReadOnly It reads, and neither changes anything nor generates.
	ReadOnly bool `json:"read_only"`
}

// KeyHealth defines model for KeyHealth.
type KeyHealth struct {
	// RefusedUntil When a key that the provider refused, or whose account is empty, is tried again; null for one in use.
	RefusedUntil *time.Time `json:"refused_until"`
}

// Label defines model for Label.
type Label struct {
	Label string `json:"label"`

	// Split The lowest version first; a label of one version has one item.
	Split     []Share   `json:"split"`
	UpdatedAt time.Time `json:"updated_at"`
}

// Ledger defines model for Ledger.
type Ledger struct {
	// Actor Who moved the tokens: a key's or an account's id, cli, or empty for the server itself.
	Actor string    `json:"actor"`
	At    time.Time `json:"at"`

	// Balance After the entry.
	Balance      EntryBalance      `json:"balance"`
	Destination  LedgerDestination `json:"destination"`
	GenerationID *string           `json:"generation_id"`
	Kind         LedgerKind        `json:"kind"`

	// MonthlyTokens Of the plan's tokens.
	MonthlyTokens int64 `json:"monthly_tokens"`

	// Reason A plan, a model, an error's code, or an operator's own words.
	Reason string `json:"reason"`

	// Seq Numbers the account's entries from 1, without gaps.
	Seq int64 `json:"seq"`

	// Source Where the tokens were; the balance is what is available.
	Source      LedgerSource `json:"source"`
	TopupTokens int64        `json:"topup_tokens"`
}

// LedgerDestination defines model for Ledger.Destination.
type LedgerDestination string

// LedgerKind defines model for Ledger.Kind.
type LedgerKind string

// LedgerSource Where the tokens were; the balance is what is available.
type LedgerSource string

// Listing defines model for Listing.
type Listing struct {
	// Author The display name of the author's account.
	Author   string `json:"author"`
	Category string `json:"category"`

	// Copyable Whether you may copy it, and so read its instructions.
	Copyable    bool      `json:"copyable"`
	CreatedAt   time.Time `json:"created_at"`
	Description string    `json:"description"`
	ID          string    `json:"id"`
	Model       string    `json:"model"`
	Name        string    `json:"name"`
	UpdatedAt   time.Time `json:"updated_at"`

	// Uses Charged generations by other accounts than the author's.
	Uses int64 `json:"uses"`

	// Variables What a call may, or must, give values for.
	Variables []Variable `json:"variables"`
	Version   int64      `json:"version"`
}

// Message defines model for Message.
type Message struct {
	Content Content     `json:"content"`
	Role    MessageRole `json:"role"`
}

// MessageRole defines model for Message.Role.
type MessageRole string

// Model defines model for Model.
type Model struct {
	// Available Whether a provider is configured for it.
	Available bool `json:"available"`

	// CacheMinimum The smallest prompt that the provider caches, in its tokens; null if it caches none.
	CacheMinimum *int64 `json:"cache_minimum"`
	Category     string `json:"category"`

	// ContextWindow In the provider's tokens.
	ContextWindow int64  `json:"context_window"`
	Description   string `json:"description"`

	// MinPlan The least plan that includes the model.
	MinPlan           string `json:"min_plan"`
	Name              string `json:"name"`
	Provider          string `json:"provider"`
	Slug              string `json:"slug"`
	SupportsStreaming bool   `json:"supports_streaming"`
	SupportsVision    bool   `json:"supports_vision"`

	// TokenCost The price of a generation, in tokens of your balance.
	TokenCost int64 `json:"token_cost"`
}

// NewAccount defines model for NewAccount.
type NewAccount struct {
	DisplayName string `json:"display_name"`
	Plan        string `json:"plan"`

	// Role user by default.
	Role NewAccountRole `json:"role,omitempty"`
}

// NewAccountRole user by default.
type NewAccountRole string

// NewLabel defines model for NewLabel.
type NewLabel struct {
	Split []Share `json:"split,omitzero"`

	// Version The one version that the label stands for; or else split.
	Version int64 `json:"version,omitempty"`
}

// NewReport defines model for NewReport.
type NewReport struct {
	// Comment Your own words; only operators read them.
	Comment string          `json:"comment,omitempty"`
	Reason  NewReportReason `json:"reason"`
}

// NewReportReason defines model for NewReport.Reason.
type NewReportReason string

// NewVariable defines model for NewVariable.
type NewVariable struct {
	// Default Not together with required.
	Default     *string `json:"default,omitempty"`
	Description string  `json:"description,omitempty"`

	// Name Written {{name}} in the instructions.
	Name     string `json:"name"`
	Required bool   `json:"required,omitempty"`
}

// PageAdminAccount defines model for PageAdminAccount.
type PageAdminAccount struct {
	Items []AdminAccount `json:"items"`

	// NextCursor Send it as cursor for the next page; null on the last one.
	NextCursor *string `json:"next_cursor"`
}

// PageAdminKey defines model for PageAdminKey.
type PageAdminKey struct {
	Items []AdminKey `json:"items"`

	// NextCursor Send it as cursor for the next page; null on the last one.
	NextCursor *string `json:"next_cursor"`
}

// PageAdminReport defines model for PageAdminReport.
type PageAdminReport struct {
	Items []AdminReport `json:"items"`

	// NextCursor Send it as cursor for the next page; null on the last one.
	NextCursor *string `json:"next_cursor"`
}

// PageAssistant defines model for PageAssistant.
type PageAssistant struct {
	Items []Assistant `json:"items"`

	// NextCursor Send it as cursor for the next page; null on the last one.
	NextCursor *string `json:"next_cursor"`
}

// PageAudit defines model for PageAudit.
type PageAudit struct {
	Items []Audit `json:"items"`

	// NextCursor Send it as cursor for the next page; null on the last one.
	NextCursor *string `json:"next_cursor"`
}

// PageKey defines model for PageKey.
type PageKey struct {
	Items []Key `json:"items"`

	// NextCursor Send it as cursor for the next page; null on the last one.
	NextCursor *string `json:"next_cursor"`
}

// PageLedger defines model for PageLedger.
type PageLedger struct {
	Items []Ledger `json:"items"`

	// NextCursor Send it as cursor for the next page; null on the last one.
	NextCursor *string `json:"next_cursor"`
}

// PageListing defines model for PageListing.
type PageListing struct {
	Items []Listing `json:"items"`

	// NextCursor Send it as cursor for the next page; null on the last one.
	NextCursor *string `json:"next_cursor"`
}

// PageReportedAssistant defines model for PageReportedAssistant.
type PageReportedAssistant struct {
	Items []ReportedAssistant `json:"items"`

	// NextCursor Send it as cursor for the next page; null on the last one.
	NextCursor *string `json:"next_cursor"`
}

// PageStatement defines model for PageStatement.
type PageStatement struct {
	Items []Statement `json:"items"`

	// NextCursor Send it as cursor for the next page; null on the last one.
	NextCursor *string `json:"next_cursor"`
}

// PageVersion defines model for PageVersion.
type PageVersion struct {
	Items []Version `json:"items"`

	// NextCursor Send it as cursor for the next page; null on the last one.
	NextCursor *string `json:"next_cursor"`
}

// Params defines model for Params.
type Params struct {
	MaxTokens    int64     `json:"max_tokens,omitempty"`
	Messages     []Message `json:"messages,omitzero"`
	SystemPrompt string    `json:"system_prompt,omitempty"`
	Temperature  *float64  `json:"temperature,omitempty"`
}

// Provider defines model for Provider.
type Provider struct {
	// Configured Whether it is on.
	Configured bool `json:"configured"`

	// Health As this node has seen it.
	Health Health          `json:"health"`
	Models []ProviderModel `json:"models"`
	Name   string          `json:"name"`

	// Variable The environment variable that switches it on, at the next start; null for one that needs none.
	Variable *string `json:"variable"`
}

// ProviderModel defines model for ProviderModel.
type ProviderModel struct {
	Available bool   `json:"available"`
	Name      string `json:"name"`

	// ReplacedBy The slug to move to.
	ReplacedBy *string `json:"replaced_by"`

	// RetiresAt When the provider will end it; null where that is not known.
	RetiresAt *time.Time `json:"retires_at"`
	Slug      string     `json:"slug"`
}

// Providers defines model for Providers.
type Providers struct {
	Items []Provider `json:"items"`

	// Since When this node started, and began to count.
	Since time.Time `json:"since"`
}

// Reason defines model for Reason.
type Reason struct {
	// Reason Your own words for the audit trail; a single line.
	Reason string `json:"reason,omitempty"`
}

// Report defines model for Report.
type Report struct {
	AssistantID string       `json:"assistant_id"`
	Comment     string       `json:"comment"`
	CreatedAt   time.Time    `json:"created_at"`
	Reason      ReportReason `json:"reason"`

	// Version The newest public version when it was reported.
	Version int64 `json:"version"`
}

// ReportReason defines model for Report.Reason.
type ReportReason string

// ReportedAssistant defines model for ReportedAssistant.
type ReportedAssistant struct {
	// AccountID The author's.
	AccountID   string `json:"account_id"`
	AssistantID string `json:"assistant_id"`

	// Author The display name of the author's account.
	Author string `json:"author"`

	// DecidedAt null while they are open.
	DecidedAt       *time.Time `json:"decided_at"`
	FirstReportedAt time.Time  `json:"first_reported_at"`
	LastReportedAt  time.Time  `json:"last_reported_at"`
	Name            string     `json:"name"`

	// Reasons How many there are of each reason.
	Reasons map[string]int64 `json:"reasons"`

	// Reports How many there are in the state.
	Reports int64 `json:"reports"`

	// TakenDown null, or why and when an operator took it from the marketplace: it cannot be published.
	TakenDown  *TakenDown                  `json:"taken_down"`
	Visibility ReportedAssistantVisibility `json:"visibility"`
}

// ReportedAssistantVisibility defines model for ReportedAssistant.Visibility.
type ReportedAssistantVisibility string

// ResponseFormat defines model for ResponseFormat.
type ResponseFormat struct {
	JSONSchema *JSONSchema        `json:"json_schema,omitempty"`
	Type       ResponseFormatType `json:"type"`
}

// ResponseFormatType defines model for ResponseFormat.Type.
type ResponseFormatType string

// Review defines model for Review.
type Review struct {
	// AccountID The author's.
	AccountID string `json:"account_id"`

	// Author The display name of the author's account.
	Author   string  `json:"author"`
	Category *string `json:"category"`

	// Copyable Whether others may copy it once it is published, and so read its instructions.
	Copyable     bool              `json:"copyable"`
	CreatedAt    time.Time         `json:"created_at"`
	Description  string            `json:"description"`
	ID           string            `json:"id"`
	Instructions string            `json:"instructions"`
	MaxTokens    *int64            `json:"max_tokens"`
	Metadata     map[string]string `json:"metadata"`

	// Model A slug of the catalog.
	Model         string `json:"model"`
	Name          string `json:"name"`
	NewestVersion int64  `json:"newest_version"`

	// Public Whether others may pin this version.
	Public         bool            `json:"public"`
	ResponseFormat *ResponseFormat `json:"response_format"`

	// TakenDown null, or why and when an operator took it from the marketplace: it cannot be published.
	TakenDown   *TakenDown `json:"taken_down"`
	Temperature *float64   `json:"temperature"`
	UpdatedAt   time.Time  `json:"updated_at"`
	Variables   []Variable `json:"variables"`

	// Version Whose fields these are.
	Version    int64            `json:"version"`
	Visibility ReviewVisibility `json:"visibility"`
}

// ReviewVisibility defines model for Review.Visibility.
type ReviewVisibility string

// Route defines model for Route.
type Route struct {
	Model string `json:"model"`

	// State closed: called. open: cut off by the circuit breaker. half_open: tried again. resting: the provider asked to be left alone.
	State RouteState `json:"state"`

	// Until When an open or resting one is called again.
	Until *time.Time `json:"until"`
}

// RouteState closed: called. open: cut off by the circuit breaker. half_open: tried again. resting: the provider asked to be left alone.
type RouteState string

// SetPlan defines model for SetPlan.
type SetPlan struct {
	// ExpiresAt When the account falls back to the least plan, in the future; null for never.
	ExpiresAt *time.Time `json:"expires_at,omitempty"`
	Plan      string     `json:"plan"`

	// Reason Your own words for the audit trail; a single line.
	Reason string `json:"reason,omitempty"`
}

// Share defines model for Share.
type Share struct {
	Version int64 `json:"version"`

	// Weight Relative to the sum of all.
	Weight int64 `json:"weight"`
}

// Statement defines model for Statement.
type Statement struct {
	At time.Time `json:"at"`

	// Balance After the entry.
	Balance      EntryBalance         `json:"balance"`
	Destination  StatementDestination `json:"destination"`
	GenerationID *string              `json:"generation_id"`

	// KeyID The key of a reservation.
	KeyID *string       `json:"key_id"`
	Kind  StatementKind `json:"kind"`

	// MonthlyTokens Of the plan's tokens.
	MonthlyTokens int64 `json:"monthly_tokens"`

	// Reason A plan, a model, an error's code, or an operator's own words.
	Reason string `json:"reason"`

	// Seq Numbers the account's entries from 1, without gaps.
	Seq int64 `json:"seq"`

	// Source Where the tokens were; the balance is what is available.
	Source      StatementSource `json:"source"`
	TopupTokens int64           `json:"topup_tokens"`
}

// StatementDestination defines model for Statement.Destination.
type StatementDestination string

// StatementKind defines model for Statement.Kind.
type StatementKind string

// StatementSource Where the tokens were; the balance is what is available.
type StatementSource string

// Storage defines model for Storage.
type Storage struct {
	// LimitBytes Null where this server has no limit.
	LimitBytes *int64 `json:"limit_bytes"`

	// UsedBytes The texts of all versions of your assistants, in bytes of UTF-8.
	UsedBytes int64 `json:"used_bytes"`
}

// TakenDown defines model for TakenDown.
type TakenDown struct {
	At     time.Time `json:"at"`
	Reason string    `json:"reason"`
}

// TextPart defines model for TextPart.
type TextPart struct {
	Text string       `json:"text"`
	Type TextPartType `json:"type"`
}

// TextPartType defines model for TextPart.Type.
type TextPartType string

// Topup defines model for Topup.
type Topup struct {
	// Reason Your own words for the journal and the audit trail; a single line.
	Reason string `json:"reason,omitempty"`
	Tokens int64  `json:"tokens"`
}

// Unpublish defines model for Unpublish.
type Unpublish struct {
	// Reason Your own words, which the author reads; a single line.
	Reason string `json:"reason"`
}

// UpdateAccount defines model for UpdateAccount.
type UpdateAccount struct {
	DisplayName string            `json:"display_name,omitempty"`
	Role        UpdateAccountRole `json:"role,omitempty"`
}

// UpdateAccountRole defines model for UpdateAccount.Role.
type UpdateAccountRole string

// UpdateAssistant defines model for UpdateAssistant.
type UpdateAssistant struct {
	Category     Optional[string]            `json:"category,omitzero"`
	Copyable     Optional[bool]              `json:"copyable,omitzero"`
	Description  Optional[string]            `json:"description,omitzero"`
	Instructions string                      `json:"instructions,omitempty"`
	MaxTokens    Optional[int64]             `json:"max_tokens,omitzero"`
	Metadata     Optional[map[string]string] `json:"metadata,omitzero"`

	// Model A slug of the catalog.
	Model string `json:"model,omitempty"`

	// Name A single line without control characters.
	Name string `json:"name,omitempty"`

	// Note The new version's line in the list of versions.
	Note           Optional[string]         `json:"note,omitzero"`
	ResponseFormat Optional[ResponseFormat] `json:"response_format,omitzero"`
	Temperature    Optional[float64]        `json:"temperature,omitzero"`
	Variables      Optional[[]NewVariable]  `json:"variables,omitzero"`
	Visibility     Optional[string]         `json:"visibility,omitzero"`
}

// UpdateKey defines model for UpdateKey.
type UpdateKey struct {
	// Assistants Ids of what it may generate with, and then with nothing else.
	Assistants Optional[[]string] `json:"assistants,omitzero"`

	// Budget How many tokens it may spend in all, counted while it has a budget. What was counted is never set back: raise the budget to allow more.
	Budget Optional[int64] `json:"budget,omitzero"`

	// ExpiresAt In the future.
	ExpiresAt Optional[time.Time] `json:"expires_at,omitzero"`

	// Models Slugs of what it may generate with.
	Models Optional[[]string] `json:"models,omitzero"`
	Name   string             `json:"name,omitempty"`

	// ReadOnly Not together with assistants, models or budget.
	ReadOnly Optional[bool] `json:"read_only,omitzero"`
}

// Usage defines model for Usage.
type Usage struct {
	Items []UsageRow `json:"items"`
	Total UsageTotal `json:"total"`
}

// UsageRow defines model for UsageRow.
type UsageRow struct {
	// CacheHitRate Of the requests that did not fail, from 0 to 1.
	CacheHitRate float64 `json:"cache_hit_rate"`

	// CacheHits Requests that did not fail and read cached tokens.
	CacheHits int64 `json:"cache_hits"`

	// CacheMisses Requests that did not fail and read no cached tokens though a hit was due, as far as the nodes that answered know.
	CacheMisses      int64 `json:"cache_misses"`
	CacheWriteTokens int64 `json:"cache_write_tokens"`
	CachedTokens     int64 `json:"cached_tokens"`
	CompletionTokens int64 `json:"completion_tokens"`

	// Failures Requests that were given back: they cost nothing.
	Failures int64 `json:"failures"`

	// Group A day as YYYY-MM-DD in UTC, or an id, id and version (asst_…@3) or slug; none for generations without an assistant; other, at the end, for what is beyond the 1,000 groups with the most requests.
	Group string `json:"group"`

	// LatencyP50Ms Right to one percent.
	LatencyP50Ms float64 `json:"latency_p50_ms"`

	// LatencyP95Ms Right to one percent.
	LatencyP95Ms float64 `json:"latency_p95_ms"`
	PromptTokens int64   `json:"prompt_tokens"`
	Requests     int64   `json:"requests"`
	TokensSpent  int64   `json:"tokens_spent"`
}

// UsageTotal defines model for UsageTotal.
type UsageTotal struct {
	// CacheHitRate Of the requests that did not fail, from 0 to 1.
	CacheHitRate float64 `json:"cache_hit_rate"`

	// CacheHits Requests that did not fail and read cached tokens.
	CacheHits int64 `json:"cache_hits"`

	// CacheMisses Requests that did not fail and read no cached tokens though a hit was due, as far as the nodes that answered know.
	CacheMisses      int64 `json:"cache_misses"`
	CacheWriteTokens int64 `json:"cache_write_tokens"`
	CachedTokens     int64 `json:"cached_tokens"`
	CompletionTokens int64 `json:"completion_tokens"`

	// Failures Requests that were given back: they cost nothing.
	Failures int64 `json:"failures"`

	// LatencyP50Ms Right to one percent.
	LatencyP50Ms float64 `json:"latency_p50_ms"`

	// LatencyP95Ms Right to one percent.
	LatencyP95Ms float64 `json:"latency_p95_ms"`
	PromptTokens int64   `json:"prompt_tokens"`
	Requests     int64   `json:"requests"`
	TokensSpent  int64   `json:"tokens_spent"`
}

// User defines model for User.
type User struct {
	CreatedAt     time.Time  `json:"created_at"`
	DisplayName   string     `json:"display_name"`
	ID            string     `json:"id"`
	Plan          string     `json:"plan"`
	PlanExpiresAt *time.Time `json:"plan_expires_at"`

	// Storage What your assistants store. At the limit whatever makes a version is refused, except to unpublish.
	Storage      Storage `json:"storage"`
	TokenBalance int64   `json:"token_balance"`
}

// Uses defines model for Uses.
type Uses struct {
	// Accounts Other accounts with a charged generation in the last 30 days.
	Accounts int64 `json:"accounts"`

	// Uses Charged generations by other accounts, ever.
	Uses int64 `json:"uses"`
}

// Variable defines model for Variable.
type Variable struct {
	Default     *string `json:"default"`
	Description string  `json:"description"`
	Name        string  `json:"name"`
	Required    bool    `json:"required"`
}

// Version defines model for Version.
type Version struct {
	Category *string `json:"category"`

	// Copyable Whether others may copy it once it is published, and so read its instructions.
	Copyable     bool              `json:"copyable"`
	CreatedAt    time.Time         `json:"created_at"`
	Description  string            `json:"description"`
	Instructions string            `json:"instructions"`
	MaxTokens    *int64            `json:"max_tokens"`
	Metadata     map[string]string `json:"metadata"`

	// Model A slug of the catalog.
	Model string `json:"model"`
	Name  string `json:"name"`
	Note  string `json:"note"`

	// Public Whether it was the newest while the assistant was published, so that others may pin it.
	Public         bool            `json:"public"`
	ResponseFormat *ResponseFormat `json:"response_format"`
	Temperature    *float64        `json:"temperature"`
	Variables      []Variable      `json:"variables"`
	Version        int64           `json:"version"`
}

// AdminListAccountsParams are what may be asked for; the zero value asks for what the server takes by default.
type AdminListAccountsParams struct {
	Q         string                           // An account's id, or what its name contains, case and accents aside.
	Plan      string                           // Only accounts on this plan.
	Suspended AdminListAccountsParamsSuspended // Only accounts that are suspended, or that are not.
	Limit     int64                            // How many items a page has at most.
	Cursor    string                           // next_cursor of the page before.
}

// AdminListAccountsParamsSuspended is one of the constants, or of those that a newer server has.
type AdminListAccountsParamsSuspended string

// AdminListKeysParams are what may be asked for; the zero value asks for what the server takes by default.
type AdminListKeysParams struct {
	Limit  int64  // How many items a page has at most.
	Cursor string // next_cursor of the page before.
}

// AdminListLedgerParams are what may be asked for; the zero value asks for what the server takes by default.
type AdminListLedgerParams struct {
	Limit  int64  // How many items a page has at most.
	Cursor string // next_cursor of the page before.
	From   string // RFC 3339 date or time, inclusive; the beginning by default.
	To     string // RFC 3339 date or time, exclusive; the end by default.
}

// AdminGetAssistantParams are what may be asked for; the zero value asks for what the server takes by default.
type AdminGetAssistantParams struct {
	Version int64 // Which version; the newest if it is left out.
}

// AdminListAssistantReportsParams are what may be asked for; the zero value asks for what the server takes by default.
type AdminListAssistantReportsParams struct {
	Limit  int64  // How many items a page has at most.
	Cursor string // next_cursor of the page before.
}

// AdminListAuditParams are what may be asked for; the zero value asks for what the server takes by default.
type AdminListAuditParams struct {
	Account string                     // Only what concerns this account.
	Action  AdminListAuditParamsAction // Only what was done in this way.
	Limit   int64                      // How many items a page has at most.
	Cursor  string                     // next_cursor of the page before.
}

// AdminListAuditParamsAction is one of the constants, or of those that a newer server has.
type AdminListAuditParamsAction string

// AdminFindKeysParams are what may be asked for; the zero value asks for what the server takes by default.
type AdminFindKeysParams struct {
	Prefix string // The first 8 characters of a key.
	Limit  int64  // How many items a page has at most.
	Cursor string // next_cursor of the page before.
}

// AdminListReportsParams are what may be asked for; the zero value asks for what the server takes by default.
type AdminListReportsParams struct {
	State  AdminListReportsParamsState // What became of the reports.
	Limit  int64                       // How many items a page has at most.
	Cursor string                      // next_cursor of the page before.
}

// AdminListReportsParamsState is one of the constants, or of those that a newer server has.
type AdminListReportsParamsState string

// AdminGetUsageParams are what may be asked for; the zero value asks for what the server takes by default.
type AdminGetUsageParams struct {
	From    string // RFC 3339 date or time, inclusive; midnight UTC 30 days before to by default.
	To      string // RFC 3339 date or time, exclusive; the end of today by default.
	GroupBy AdminGetUsageParamsGroupBy
}

// AdminGetUsageParamsGroupBy is one of the constants, or of those that a newer server has.
type AdminGetUsageParamsGroupBy string

// ListAssistantsParams are what may be asked for; the zero value asks for what the server takes by default.
type ListAssistantsParams struct {
	Limit  int64  // How many items a page has at most.
	Cursor string // next_cursor of the page before.
	Q      string // Only what has this in its name or description, case and accents aside.
}

// ListMarketplaceParams are what may be asked for; the zero value asks for what the server takes by default.
type ListMarketplaceParams struct {
	Limit    int64                     // How many items a page has at most.
	Cursor   string                    // next_cursor of the page before.
	Category string                    // Only this category.
	Q        string                    // Only what has all of these words in its name or description, case and accents aside; the last one may go on. Names that equal it come first, then names that begin with it, then names that have it, then descriptions, each by popularity, whatever sort says.
	Sort     ListMarketplaceParamsSort // The order of a list without q.
}

// ListMarketplaceParamsSort is one of the constants, or of those that a newer server has.
type ListMarketplaceParamsSort string

// ListVersionsParams are what may be asked for; the zero value asks for what the server takes by default.
type ListVersionsParams struct {
	Limit  int64  // How many items a page has at most.
	Cursor string // next_cursor of the page before.
}

// GetStatementParams are what may be asked for; the zero value asks for what the server takes by default.
type GetStatementParams struct {
	Limit  int64  // How many items a page has at most.
	Cursor string // next_cursor of the page before.
	From   string // RFC 3339 date or time, inclusive; the beginning by default.
	To     string // RFC 3339 date or time, exclusive; the end by default.
}

// ListKeysParams are what may be asked for; the zero value asks for what the server takes by default.
type ListKeysParams struct {
	Limit  int64  // How many items a page has at most.
	Cursor string // next_cursor of the page before.
}

// ListModelsParams are what may be asked for; the zero value asks for what the server takes by default.
type ListModelsParams struct {
	Category string // Only this category, such as text.
}

// GetUsageParams are what may be asked for; the zero value asks for what the server takes by default.
type GetUsageParams struct {
	From    string // RFC 3339 date or time, inclusive; midnight UTC 30 days before to by default.
	To      string // RFC 3339 date or time, exclusive; what was settled last is in it by default.
	GroupBy GetUsageParamsGroupBy
}

// GetUsageParamsGroupBy is one of the constants, or of those that a newer server has.
type GetUsageParamsGroupBy string
