# Generated from the server's OpenAPI document by oapi-codegen v2.8.2: make clients. Do not edit.
"""What the server takes and answers. Answers are dictionaries; those of a newer server may have more names and other values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, Optional, TypedDict, Union

if TYPE_CHECKING:
    from typing_extensions import NotRequired



class AdminAccount(TypedDict):
    created_at: str
    display_name: str
    id: str
    monthly_tokens: int
    """The plan's own tokens, spent first."""

    period_ends_at: Optional[str]
    """When the plan's month ends; null for a plan without months."""

    plan: str
    plan_expires_at: Optional[str]
    """When the account falls back to the least plan; null for never."""

    role: Literal["user", "admin"]
    suspended: bool
    token_balance: int
    """The sum. On an unlimited plan nothing is taken from it."""

    topup_tokens: int
    """They never expire."""


class AdminKey(TypedDict):
    account_id: str
    assistants: Optional[list[str]]
    """What it may generate with; null for all, and for no assistant."""

    budget: Optional[int]
    """How many tokens it may spend in all; null for no limit."""

    budget_spent: Optional[int]
    """What it has spent and reserved while it had a budget; null without one."""

    created_at: str
    expires_at: Optional[str]
    """When it stops working; null for never."""

    id: str
    last_used_at: Optional[str]
    """Follows the use within seconds; null for a key that was never used."""

    models: Optional[list[str]]
    """Slugs of what it may generate with; null for all."""

    name: str
    prefix: str
    """The first 8 characters of the key."""

    read_only: bool
    """It reads, and neither changes anything nor generates."""


class AdminReport(TypedDict):
    account_id: str
    """Who reports. The author does not learn that."""

    comment: str
    created_at: str
    decided_at: Optional[str]
    """null while it is open."""

    reason: Literal["spam", "harmful", "illegal", "impersonation", "copyright", "sexual", "other"]
    state: Literal["open", "dismissed", "upheld"]
    version: int
    """The newest public version when it was reported."""


class Assistant(TypedDict):
    category: Optional[str]
    copyable: bool
    """Whether others may copy it once it is published, and so read its instructions."""

    created_at: str
    description: str
    id: str
    instructions: str
    max_tokens: Optional[int]
    metadata: dict[str, str]
    model: str
    """A slug of the catalog."""

    name: str
    response_format: Union[ResponseFormat, None]
    taken_down: Union[TakenDown, None]
    """null, or why and when an operator took it from the marketplace: it cannot be published."""

    temperature: Optional[float]
    updated_at: str
    variables: list[Variable]
    version: int
    """The newest version."""

    visibility: Literal["private", "marketplace"]

class Attempt(TypedDict):
    duration_ms: int
    error: Optional[str]
    """Why it failed (auth, rate_limited, overloaded, unreachable, timeout, truncated, malformed, failed; rejected where the state of an earlier answer was; cancelled, where another call began to answer first); null for the one that gave the answer."""

    provider: str
    region: NotRequired[str]

class Audit(TypedDict):
    account_id: Optional[str]
    """Whose affair it is."""

    action: str
    actor: str
    """Who did it: an account's id, cli for a command on the database, or empty for the server itself."""

    address: Optional[str]
    """From where the actor called."""

    at: str
    details: dict[str, str]
    """Plans, numbers and ids, and an operator's reason."""

    hash: str
    """SHA-256 of the entry and the hash before it."""

    key_id: Optional[str]
    """The actor's key."""

    seq: int
    """Numbers the entries from 1, without gaps."""

    target: str
    """The id of what it was done to."""


class Balance(TypedDict):
    monthly_tokens: int
    """The plan's own tokens, spent first."""

    period_ends_at: Optional[str]
    """When the plan's month ends; null for a plan without months."""

    plan: str
    plan_expires_at: Optional[str]
    token_balance: int
    """The sum. On an unlimited plan nothing is taken from it."""

    topup_tokens: int
    """They never expire."""


class Cache(TypedDict):
    minimum: int
    """The smallest prompt that the provider caches."""

    reason: NotRequired[Literal["first", "prefix_below_minimum", "expired", "prefix_changed", "other_upstream", "unknown"]]
    """Why nothing was read, with miss and written, as far as the node that answered can know. A hit was due with all but the first two."""

    status: Literal["hit", "written", "miss", "below_minimum", "unsupported"]

class Category(TypedDict):
    count: int
    """Published assistants."""

    name: str
    slug: str

class ContentDelta(TypedDict):
    delta: str
    type: Literal["content_delta"]

class CopyAssistant(TypedDict):
    name: NotRequired[Optional[str]]
    """The copy's name; the original's if it is left out."""

    version: NotRequired[Optional[int]]
    """Which version to copy, one that you may pin; the newest if it is left out."""


class CreateAssistant(TypedDict):
    category: NotRequired[Optional[str]]
    """A category's slug; required to publish."""

    copyable: NotRequired[Optional[bool]]
    """Whether others may copy it once it is published, and so read its instructions."""

    description: NotRequired[Optional[str]]
    """Not empty to publish."""

    instructions: str
    max_tokens: NotRequired[Optional[int]]
    metadata: NotRequired[Optional[dict[str, str]]]
    """At most 16 pairs; keys of 64 and values of 512 characters."""

    model: str
    """A slug of the catalog."""

    name: str
    """A single line without control characters."""

    response_format: NotRequired[Union[ResponseFormat, None]]
    temperature: NotRequired[Optional[float]]
    variables: NotRequired[Optional[list[NewVariable]]]
    visibility: NotRequired[Optional[Literal["private", "marketplace"]]]

class CreateKey(TypedDict):
    assistants: NotRequired[Optional[list[str]]]
    """Ids of what it may generate with, and then with nothing else."""

    budget: NotRequired[Optional[int]]
    """How many tokens it may spend in all, counted while it has a budget. What was counted is never set back: raise the budget to allow more."""

    expires_at: NotRequired[Optional[str]]
    """In the future."""

    models: NotRequired[Optional[list[str]]]
    """Slugs of what it may generate with."""

    name: str
    read_only: NotRequired[Optional[bool]]
    """Not together with assistants, models or budget."""


class CreatedKey(TypedDict):
    assistants: Optional[list[str]]
    """What it may generate with; null for all, and for no assistant."""

    budget: Optional[int]
    """How many tokens it may spend in all; null for no limit."""

    budget_spent: Optional[int]
    """What it has spent and reserved while it had a budget; null without one."""

    created_at: str
    expires_at: Optional[str]
    """When it stops working; null for never."""

    id: str
    key: Optional[str]
    """The key itself; null when an Idempotency-Key is used again, since it is not kept."""

    models: Optional[list[str]]
    """Slugs of what it may generate with; null for all."""

    name: str
    read_only: bool
    """It reads, and neither changes anything nor generates."""


class DisplayName(TypedDict):
    display_name: str

class EntryBalance(TypedDict):
    monthly_tokens: int
    token_balance: int
    topup_tokens: int

class GenerateRequest(TypedDict):
    assistant_id: NotRequired[Optional[str]]
    """Whose instructions to use: asst_…, or asst_…@3 to pin version 3."""

    max_tokens: NotRequired[Optional[int]]
    messages: NotRequired[Optional[list[Message]]]
    model: NotRequired[Optional[str]]
    """A slug of the catalog; required without an assistant, overrides the assistant's with one."""

    params: NotRequired[Params]
    prompt: NotRequired[Optional[str]]
    """One user message, after messages if both are given."""

    response_format: NotRequired[Union[ResponseFormat, None]]
    stop: NotRequired[Union[str, list[str], None]]
    system: NotRequired[Optional[str]]
    """A first system message."""

    temperature: NotRequired[Optional[float]]
    """Brought to the model's limits, with a warning."""

    top_p: NotRequired[Optional[float]]
    user: NotRequired[Optional[str]]
    """An opaque id of your own end user, only ever used hashed."""

    variables: NotRequired[Optional[dict[str, str]]]
    """Values, of at most 8,000 characters, for the variables that the assistant declares."""


class Generation(TypedDict):
    assistant_id: Optional[str]
    """null without an assistant."""

    assistant_version: Optional[int]
    attempts: list[Attempt]
    """The calls of providers that the answer took, the one that gave it last."""

    balance_remaining: Optional[int]
    """null on an unlimited plan, and for a key that is limited to assistants, models or a budget."""

    content: str
    created_at: str
    finish_reason: Literal["stop", "length", "content_filter", "refusal"]
    id: str
    model: str
    status: Literal["completed"]
    tokens_spent: int
    """The price, in tokens of your balance."""

    usage: GenerationUsage
    warnings: list[GenerationWarning]

class GenerationEnd(TypedDict):
    attempts: list[Attempt]
    """The calls of providers that the answer took, the one that gave it last."""

    balance_remaining: Optional[int]
    finish_reason: Literal["stop", "length", "content_filter", "refusal"]
    id: str
    tokens_used: int
    type: Literal["generation_end"]
    usage: GenerationUsage
    warnings: list[GenerationWarning]

class GenerationStart(TypedDict):
    assistant_id: Optional[str]
    assistant_version: Optional[int]
    created_at: str
    id: str
    model: str
    type: Literal["generation_start"]

class GenerationUsage(TypedDict):
    cache: Cache
    cache_write_tokens: int
    cached_tokens: int
    completion_tokens: int
    prompt_tokens: int
    """The provider's tokens, the cached ones included."""

    reasoning_tokens: int
    total_tokens: int

class GenerationWarning(TypedDict):
    code: Literal["unknown_field", "unsupported_setting", "clamped_setting", "system_message_moved", "model_retiring", "image_detail_ignored", "reasoning_state_refused"]
    field: str
    message: str

class Health(TypedDict):
    attempts: int
    """Calls that have ended. One that is neither a success nor a failure was left by its client."""

    failures: dict[str, int]
    """By kind: rejected (of that input), auth, rate_limited, overloaded, unreachable, timeout, truncated, malformed, failed."""

    keys: list[KeyHealth]
    """Its keys, in the order of the configuration."""

    last_failure_at: Optional[str]
    last_failure_kind: Optional[str]
    last_success_at: Optional[str]
    routes: list[Route]
    """The models that it serves."""

    successes: int

class Image(TypedDict):
    detail: NotRequired[Optional[str]]
    """Left out, with a warning."""

    url: str
    """data:image/png;base64,… (PNG, JPEG, GIF or WebP) or https://… of a public host, which is only handed on to a provider that fetches by itself."""


class ImagePart(TypedDict):
    image_url: Image
    type: Literal["image_url"]

class ImportAssistant(TypedDict):
    versions: list[ImportVersion]
    """The oldest first; the last one is the newest. At most 1,000 beside those that change nothing but visibility."""

    visibility: NotRequired[Optional[Literal["private", "marketplace"]]]

class ImportVersion(TypedDict):
    category: NotRequired[Optional[str]]
    copyable: NotRequired[Optional[bool]]
    created_at: NotRequired[Optional[str]]
    """When it was saved; required for all but the newest, and never before that of the version before."""

    description: NotRequired[Optional[str]]
    instructions: str
    max_tokens: NotRequired[Optional[int]]
    metadata: NotRequired[Optional[dict[str, str]]]
    model: str
    """A slug; that of the newest version must be in the catalog."""

    name: str
    """A single line without control characters."""

    note: NotRequired[Optional[str]]
    public: NotRequired[Optional[bool]]
    """Whether others may pin it; it needs what publishing needs. The newest is public if the assistant is published."""

    response_format: NotRequired[Union[ResponseFormat, None]]
    temperature: NotRequired[Optional[float]]
    variables: NotRequired[Optional[list[NewVariable]]]
    version: int
    """Its number, higher than that of the version before; where one was withdrawn there is a gap."""


class ItemsCategory(TypedDict):
    items: list[Category]

class ItemsLabel(TypedDict):
    items: list[Label]

class ItemsModel(TypedDict):
    items: list[Model]

class JSONSchema(TypedDict):
    name: str
    schema: dict[str, Any]
    """JSON Schema, of at most 64 KiB."""

    strict: NotRequired[Optional[bool]]

class Key(TypedDict):
    assistants: Optional[list[str]]
    """What it may generate with; null for all, and for no assistant."""

    budget: Optional[int]
    """How many tokens it may spend in all; null for no limit."""

    budget_spent: Optional[int]
    """What it has spent and reserved while it had a budget; null without one."""

    created_at: str
    expires_at: Optional[str]
    """When it stops working; null for never."""

    id: str
    last_used_at: Optional[str]
    """Follows the use within seconds; null for a key that was never used."""

    models: Optional[list[str]]
    """Slugs of what it may generate with; null for all."""

    name: str
    prefix: str
    """The first 8 characters of the key."""

    read_only: bool
    """It reads, and neither changes anything nor generates."""


class KeyHealth(TypedDict):
    refused_until: Optional[str]
    """When a key that the provider refused, or whose account is empty, is tried again; null for one in use."""


class Label(TypedDict):
    label: str
    split: list[Share]
    """The lowest version first; a label of one version has one item."""

    updated_at: str

class Ledger(TypedDict):
    actor: str
    """Who moved the tokens: a key's or an account's id, cli, or empty for the server itself."""

    at: str
    balance: EntryBalance
    destination: Literal["available", "reserved", "spent", "expired", "granted", "topped_up"]
    generation_id: Optional[str]
    kind: Literal["grant", "topup", "reserve", "settle", "give_back", "expire", "correction"]
    monthly_tokens: int
    """Of the plan's tokens."""

    reason: str
    """A plan, a model, an error's code, or an operator's own words."""

    seq: int
    """Numbers the account's entries from 1, without gaps."""

    source: Literal["available", "reserved", "spent", "expired", "granted", "topped_up"]
    """Where the tokens were; the balance is what is available."""

    topup_tokens: int

class Listing(TypedDict):
    author: str
    """The display name of the author's account."""

    category: str
    copyable: bool
    """Whether you may copy it, and so read its instructions."""

    created_at: str
    description: str
    id: str
    model: str
    name: str
    updated_at: str
    uses: int
    """Charged generations by other accounts than the author's."""

    variables: list[Variable]
    """What a call may, or must, give values for."""

    version: int

class Message(TypedDict):
    content: Union[str, list[Union[TextPart, ImagePart]]]
    role: Literal["system", "user", "assistant"]

class Model(TypedDict):
    available: bool
    """Whether a provider is configured for it."""

    cache_minimum: Optional[int]
    """The smallest prompt that the provider caches, in its tokens; null if it caches none."""

    category: str
    context_window: int
    """In the provider's tokens."""

    description: str
    min_plan: str
    """The least plan that includes the model."""

    name: str
    provider: str
    slug: str
    supports_streaming: bool
    supports_vision: bool
    token_cost: int
    """The price of a generation, in tokens of your balance."""


class NewAccount(TypedDict):
    display_name: str
    plan: str
    role: NotRequired[Optional[Literal["user", "admin"]]]
    """user by default."""


class NewLabel(TypedDict):
    split: NotRequired[list[Share]]
    version: NotRequired[int]
    """The one version that the label stands for; or else split."""


class NewReport(TypedDict):
    comment: NotRequired[Optional[str]]
    """Your own words; only operators read them."""

    reason: Literal["spam", "harmful", "illegal", "impersonation", "copyright", "sexual", "other"]

class NewVariable(TypedDict):
    default: NotRequired[Optional[str]]
    """Not together with required."""

    description: NotRequired[Optional[str]]
    name: str
    """Written {{name}} in the instructions."""

    required: NotRequired[Optional[bool]]

class PageAdminAccount(TypedDict):
    items: list[AdminAccount]
    next_cursor: Optional[str]
    """Send it as cursor for the next page; null on the last one."""


class PageAdminKey(TypedDict):
    items: list[AdminKey]
    next_cursor: Optional[str]
    """Send it as cursor for the next page; null on the last one."""


class PageAdminReport(TypedDict):
    items: list[AdminReport]
    next_cursor: Optional[str]
    """Send it as cursor for the next page; null on the last one."""


class PageAssistant(TypedDict):
    items: list[Assistant]
    next_cursor: Optional[str]
    """Send it as cursor for the next page; null on the last one."""


class PageAudit(TypedDict):
    items: list[Audit]
    next_cursor: Optional[str]
    """Send it as cursor for the next page; null on the last one."""


class PageKey(TypedDict):
    items: list[Key]
    next_cursor: Optional[str]
    """Send it as cursor for the next page; null on the last one."""


class PageLedger(TypedDict):
    items: list[Ledger]
    next_cursor: Optional[str]
    """Send it as cursor for the next page; null on the last one."""


class PageListing(TypedDict):
    items: list[Listing]
    next_cursor: Optional[str]
    """Send it as cursor for the next page; null on the last one."""


class PageReportedAssistant(TypedDict):
    items: list[ReportedAssistant]
    next_cursor: Optional[str]
    """Send it as cursor for the next page; null on the last one."""


class PageStatement(TypedDict):
    items: list[Statement]
    next_cursor: Optional[str]
    """Send it as cursor for the next page; null on the last one."""


class PageVersion(TypedDict):
    items: list[Version]
    next_cursor: Optional[str]
    """Send it as cursor for the next page; null on the last one."""


class Params(TypedDict):
    max_tokens: NotRequired[Optional[int]]
    messages: NotRequired[Optional[list[Message]]]
    system_prompt: NotRequired[Optional[str]]
    temperature: NotRequired[Optional[float]]

class Provider(TypedDict):
    configured: bool
    """Whether it is on."""

    health: Health
    models: list[ProviderModel]
    name: str
    variable: Optional[str]
    """The environment variable that switches it on, at the next start; null for one that needs none."""


class ProviderModel(TypedDict):
    available: bool
    name: str
    replaced_by: Optional[str]
    """The slug to move to."""

    retires_at: Optional[str]
    """When the provider will end it; null where that is not known."""

    slug: str

class Providers(TypedDict):
    items: list[Provider]
    since: str
    """When this node started, and began to count."""


class Reason(TypedDict):
    reason: NotRequired[Optional[str]]
    """Your own words for the audit trail; a single line."""


class Report(TypedDict):
    assistant_id: str
    comment: str
    created_at: str
    reason: Literal["spam", "harmful", "illegal", "impersonation", "copyright", "sexual", "other"]
    version: int
    """The newest public version when it was reported."""


class ReportedAssistant(TypedDict):
    account_id: str
    """The author's."""

    assistant_id: str
    author: str
    """The display name of the author's account."""

    decided_at: Optional[str]
    """null while they are open."""

    first_reported_at: str
    last_reported_at: str
    name: str
    reasons: dict[str, int]
    """How many there are of each reason."""

    reports: int
    """How many there are in the state."""

    taken_down: Union[TakenDown, None]
    """null, or why and when an operator took it from the marketplace: it cannot be published."""

    visibility: Literal["private", "marketplace"]

class ResponseFormat(TypedDict):
    json_schema: NotRequired[JSONSchema]
    type: Literal["text", "json_object", "json_schema"]

class Review(TypedDict):
    account_id: str
    """The author's."""

    author: str
    """The display name of the author's account."""

    category: Optional[str]
    copyable: bool
    """Whether others may copy it once it is published, and so read its instructions."""

    created_at: str
    description: str
    id: str
    instructions: str
    max_tokens: Optional[int]
    metadata: dict[str, str]
    model: str
    """A slug of the catalog."""

    name: str
    newest_version: int
    public: bool
    """Whether others may pin this version."""

    response_format: Union[ResponseFormat, None]
    taken_down: Union[TakenDown, None]
    """null, or why and when an operator took it from the marketplace: it cannot be published."""

    temperature: Optional[float]
    updated_at: str
    variables: list[Variable]
    version: int
    """Whose fields these are."""

    visibility: Literal["private", "marketplace"]

class Route(TypedDict):
    model: str
    state: Literal["closed", "open", "half_open", "resting"]
    """closed: called. open: cut off by the circuit breaker. half_open: tried again. resting: the provider asked to be left alone."""

    until: Optional[str]
    """When an open or resting one is called again."""


class SetPlan(TypedDict):
    expires_at: NotRequired[Optional[str]]
    """When the account falls back to the least plan, in the future; null for never."""

    plan: str
    reason: NotRequired[Optional[str]]
    """Your own words for the audit trail; a single line."""


class Share(TypedDict):
    version: int
    weight: int
    """Relative to the sum of all."""


class Statement(TypedDict):
    at: str
    balance: EntryBalance
    destination: Literal["available", "reserved", "spent", "expired", "granted", "topped_up"]
    generation_id: Optional[str]
    key_id: Optional[str]
    """The key of a reservation."""

    kind: Literal["grant", "topup", "reserve", "settle", "give_back", "expire", "correction"]
    monthly_tokens: int
    """Of the plan's tokens."""

    reason: str
    """A plan, a model, an error's code, or an operator's own words."""

    seq: int
    """Numbers the account's entries from 1, without gaps."""

    source: Literal["available", "reserved", "spent", "expired", "granted", "topped_up"]
    """Where the tokens were; the balance is what is available."""

    topup_tokens: int

class Storage(TypedDict):
    limit_bytes: Optional[int]
    """Null where this server has no limit."""

    used_bytes: int
    """The texts of all versions of your assistants, in bytes of UTF-8."""


class TakenDown(TypedDict):
    at: str
    reason: str

class TextPart(TypedDict):
    text: str
    type: Literal["text"]

class Topup(TypedDict):
    reason: NotRequired[Optional[str]]
    """Your own words for the journal and the audit trail; a single line."""

    tokens: int

class Unpublish(TypedDict):
    reason: str
    """Your own words, which the author reads; a single line."""


class UpdateAccount(TypedDict):
    display_name: NotRequired[str]
    role: NotRequired[Literal["user", "admin"]]

class UpdateAssistant(TypedDict):
    category: NotRequired[Optional[str]]
    copyable: NotRequired[Optional[bool]]
    description: NotRequired[Optional[str]]
    instructions: NotRequired[str]
    max_tokens: NotRequired[Optional[int]]
    metadata: NotRequired[Optional[dict[str, str]]]
    model: NotRequired[str]
    """A slug of the catalog."""

    name: NotRequired[str]
    """A single line without control characters."""

    note: NotRequired[Optional[str]]
    """The new version's line in the list of versions."""

    response_format: NotRequired[Union[ResponseFormat, None]]
    temperature: NotRequired[Optional[float]]
    variables: NotRequired[Optional[list[NewVariable]]]
    visibility: NotRequired[Optional[Literal["private", "marketplace"]]]

class UpdateKey(TypedDict):
    assistants: NotRequired[Optional[list[str]]]
    """Ids of what it may generate with, and then with nothing else."""

    budget: NotRequired[Optional[int]]
    """How many tokens it may spend in all, counted while it has a budget. What was counted is never set back: raise the budget to allow more."""

    expires_at: NotRequired[Optional[str]]
    """In the future."""

    models: NotRequired[Optional[list[str]]]
    """Slugs of what it may generate with."""

    name: NotRequired[str]
    read_only: NotRequired[Optional[bool]]
    """Not together with assistants, models or budget."""


class Usage(TypedDict):
    items: list[UsageRow]
    total: UsageTotal

class UsageRow(TypedDict):
    cache_hit_rate: float
    """Of the requests that did not fail, from 0 to 1."""

    cache_hits: int
    """Requests that did not fail and read cached tokens."""

    cache_misses: int
    """Requests that did not fail and read no cached tokens though a hit was due, as far as the nodes that answered know."""

    cache_write_tokens: int
    cached_tokens: int
    completion_tokens: int
    failures: int
    """Requests that were given back: they cost nothing."""

    group: str
    """A day as YYYY-MM-DD in UTC, or an id, id and version (asst_…@3) or slug; none for generations without an assistant; other, at the end, for what is beyond the 1,000 groups with the most requests."""

    latency_p50_ms: float
    """Right to one percent."""

    latency_p95_ms: float
    """Right to one percent."""

    prompt_tokens: int
    requests: int
    tokens_spent: int

class UsageTotal(TypedDict):
    cache_hit_rate: float
    """Of the requests that did not fail, from 0 to 1."""

    cache_hits: int
    """Requests that did not fail and read cached tokens."""

    cache_misses: int
    """Requests that did not fail and read no cached tokens though a hit was due, as far as the nodes that answered know."""

    cache_write_tokens: int
    cached_tokens: int
    completion_tokens: int
    failures: int
    """Requests that were given back: they cost nothing."""

    latency_p50_ms: float
    """Right to one percent."""

    latency_p95_ms: float
    """Right to one percent."""

    prompt_tokens: int
    requests: int
    tokens_spent: int

class User(TypedDict):
    created_at: str
    display_name: str
    id: str
    plan: str
    plan_expires_at: Optional[str]
    storage: Storage
    token_balance: int

class Uses(TypedDict):
    accounts: int
    """Other accounts with a charged generation in the last 30 days."""

    uses: int
    """Charged generations by other accounts, ever."""


class Variable(TypedDict):
    default: Optional[str]
    description: str
    name: str
    required: bool

class Version(TypedDict):
    category: Optional[str]
    copyable: bool
    """Whether others may copy it once it is published, and so read its instructions."""

    created_at: str
    description: str
    instructions: str
    max_tokens: Optional[int]
    metadata: dict[str, str]
    model: str
    """A slug of the catalog."""

    name: str
    note: str
    public: bool
    """Whether it was the newest while the assistant was published, so that others may pin it."""

    response_format: Union[ResponseFormat, None]
    temperature: Optional[float]
    variables: list[Variable]
    version: int


AssistantOrListing = Union[Assistant, Listing]
"""One's own assistant, or what others see of it."""

ErrorCode = Literal[
    "bad_request",
    "not_authenticated",
    "insufficient_tokens",
    "insufficient_plan",
    "forbidden",
    "account_suspended",
    "not_found",
    "conflict",
    "version_conflict",
    "payload_too_large",
    "validation_error",
    "provider_rejected",
    "rate_limit_exceeded",
    "too_many_streams",
    "internal_error",
    "provider_error",
    "model_unavailable",
    "service_unavailable",
    "provider_timeout",
]
"""For programs; never changes its meaning."""

StreamEvent = Union[GenerationStart, ContentDelta, GenerationEnd]
"""One of a stream: a GenerationStart first, a ContentDelta for each piece, a GenerationEnd last."""





