package elumenta

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Limits of an assistant, by the contract. Characters are Unicode code points.
const (
	MaxName          = 100
	MaxInstructions  = 256_000
	MaxDescription   = 512
	MaxMetadata      = 16
	MaxMetadataKey   = 64
	MaxMetadataValue = 512
	MaxVariables     = 32
	MaxNote          = 200
	MaxTemperature   = 2
	// MaxSchemaName and the characters of a schema's name are OpenAI's
	// (https://platform.openai.com/docs/api-reference/responses/create, text.format.name).
	MaxSchemaName        = 64
	schemaNameCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"
)

// Visibility says who may use an assistant.
type Visibility string

// The visibilities.
const (
	Private     Visibility = "private"
	Marketplace Visibility = "marketplace"
)

// Assistant is a persona with persistent instructions, in its newest version, as its owner sees it.
type Assistant struct {
	ID         AssistantID
	Owner      AccountID
	Visibility Visibility
	Version    int
	// Revision rises with every change of any kind, so that a cached copy can be confirmed.
	Revision             int64
	CreatedAt, UpdatedAt time.Time
	// TakenDown is nil unless an operator bars publishing it.
	TakenDown *TakeDown
	Fields
}

// Fields are what a version of an assistant holds.
type Fields struct {
	Name           string
	Model          string // slug
	Instructions   Text
	Description    string
	Category       string // slug, "" for none
	Temperature    *float64
	MaxTokens      *int
	ResponseFormat *ResponseFormat
	Variables      []Variable
	Metadata       map[string]string
	// Copyable is whether others may copy a published version, and so read its instructions.
	Copyable bool
}

// Variable is a placeholder that the instructions may contain as {{name}}.
type Variable struct {
	Name        string  `json:"name"`
	Description string  `json:"description,omitempty"`
	Default     *string `json:"default,omitempty"`
	Required    bool    `json:"required,omitempty"`
}

// VariablesSize is how many bytes the texts of variables have.
func VariablesSize(variables []Variable) (n int) {
	for i := range variables {
		v := &variables[i]
		n += len(v.Name) + len(v.Description)
		if v.Default != nil {
			n += len(*v.Default)
		}
	}
	return n
}

// Version is one saved version of an assistant.
type Version struct {
	Version   int
	CreatedAt time.Time
	Note      string
	// Public is whether the version was the newest while the assistant was published.
	Public bool
	Fields
}

// Optional is a field of a partial update: absent, null, or a value.
type Optional[T any] struct {
	Set   bool // present in the request
	Null  bool // present as null
	Value T
}

// Some makes a present value.
func Some[T any](v T) Optional[T] { return Optional[T]{Set: true, Value: v} }

// Patch is a partial update: what is not Set stays, null clears an optional field.
type Patch struct {
	Name           Optional[string]
	Model          Optional[string]
	Instructions   Optional[Text]
	Description    Optional[string]
	Category       Optional[string]
	Visibility     Optional[Visibility]
	Temperature    Optional[float64]
	MaxTokens      Optional[int]
	ResponseFormat Optional[ResponseFormat]
	Variables      Optional[[]Variable]
	Metadata       Optional[map[string]string]
	Copyable       Optional[bool]
	Note           string
}

// Apply returns fields and visibility with the patch applied, and whether anything differs. The result is not checked.
func (p *Patch) Apply(f Fields, v Visibility) (Fields, Visibility, bool) {
	next, visibility := f, v
	set(&next.Name, p.Name)
	set(&next.Model, p.Model)
	set(&next.Instructions, p.Instructions)
	set(&next.Description, p.Description)
	set(&next.Category, p.Category)
	setPointer(&next.Temperature, p.Temperature)
	setPointer(&next.MaxTokens, p.MaxTokens)
	setPointer(&next.ResponseFormat, p.ResponseFormat)
	set(&next.Variables, p.Variables)
	set(&next.Metadata, p.Metadata)
	set(&next.Copyable, p.Copyable)
	if p.Visibility.Set {
		visibility = Private
		if !p.Visibility.Null {
			visibility = p.Visibility.Value
		}
	}
	return next, visibility, visibility != v || !next.Equal(f)
}

func set[T any](field *T, o Optional[T]) {
	if o.Set {
		*field = o.Value // the zero value for null
	}
}

func setPointer[T any](field **T, o Optional[T]) {
	switch {
	case o.Set && o.Null:
		*field = nil
	case o.Set:
		*field = &o.Value
	}
}

// Equal reports whether a version with these fields would be no other than one with g.
func (f *Fields) Equal(g Fields) bool {
	return f.Name == g.Name && f.Model == g.Model && f.Instructions == g.Instructions && f.Description == g.Description &&
		f.Category == g.Category && f.Copyable == g.Copyable && reflect.DeepEqual(f.Temperature, g.Temperature) && reflect.DeepEqual(f.MaxTokens, g.MaxTokens) &&
		f.ResponseFormat.equal(g.ResponseFormat) && maps.Equal(f.Metadata, g.Metadata) &&
		slices.EqualFunc(f.Variables, g.Variables, func(a, b Variable) bool { return reflect.DeepEqual(a, b) })
}

// Check gathers everything that is wrong with the fields of an assistant at this visibility, but for its model, which
// the catalog knows.
func (f *Fields) Check(v Visibility) FieldErrors {
	var errs FieldErrors
	CheckAssistantName(&errs, f.Name)
	checkText(&errs, "instructions", string(f.Instructions), 1, MaxInstructions)
	checkText(&errs, "description", f.Description, 0, MaxDescription)
	if f.Model == "" {
		errs.Add("model", "is required")
	}
	if f.Category != "" && !KnownCategory(f.Category) {
		errs.Add("category", "is not known; the categories are %s", strings.Join(CategorySlugs(), ", "))
	}
	switch v {
	case Private:
	case Marketplace:
		if f.Category == "" {
			errs.Add("category", "is required to publish")
		}
		if strings.TrimSpace(f.Description) == "" {
			errs.Add("description", "must not be empty to publish")
		}
	default:
		errs.Add("visibility", "must be private or marketplace")
	}
	if f.Temperature != nil && !(*f.Temperature >= 0 && *f.Temperature <= MaxTemperature) {
		errs.Add("temperature", "must be between 0 and %d", MaxTemperature)
	}
	if f.MaxTokens != nil && *f.MaxTokens < 1 {
		errs.Add("max_tokens", "must be at least 1")
	}
	if f.ResponseFormat != nil {
		f.ResponseFormat.Check("response_format", &errs)
	}
	checkMetadata(&errs, f.Metadata)
	checkVariables(&errs, f.Variables)
	return errs
}

// CheckAssistantName adds what is wrong with an assistant's name.
func CheckAssistantName(errs *FieldErrors, name string) {
	checkLine(errs, "name", name, 1, MaxName)
}

// checkLine is checkText of one line, whose characters all show or are part of what shows. One that is required has more than blanks.
func checkLine(errs *FieldErrors, field, s string, least, most int) {
	checkText(errs, field, s, least, most)
	switch {
	case least > 0 && s != "" && strings.TrimSpace(s) == "":
		errs.Add(field, "must not be blank")
	case strings.ContainsAny(s, "\r\n\u0085\u2028\u2029"):
		errs.Add(field, "must be a single line")
	case strings.ContainsFunc(s, func(r rune) bool { return r != 0 && unicode.IsControl(r) }): // checkText says what is wrong with NUL
		errs.Add(field, "must not contain control characters")
	}
}

// Check adds what is wrong with a response format. The schema itself is the provider's to judge.
func (r *ResponseFormat) Check(field string, errs *FieldErrors) {
	switch r.Type {
	case FormatText, FormatJSONObject:
		if r.Schema != nil {
			errs.Add(field+".json_schema", "goes with the type json_schema only")
		}
	case FormatJSONSchema:
		switch {
		case r.Name == "":
			errs.Add(field+".json_schema.name", "is required")
		case len(r.Name) > MaxSchemaName || strings.Trim(r.Name, schemaNameCharacters) != "":
			errs.Add(field+".json_schema.name", "must have at most %d characters of a-z, A-Z, 0-9, _ and -", MaxSchemaName)
		}
		if len(r.Schema) == 0 {
			errs.Add(field+".json_schema.schema", "is required")
		}
	default:
		errs.Add(field+".type", "must be text, json_object or json_schema")
	}
	if len(r.Schema) > MaxResponseFormat {
		errs.Add(field, "must have at most %d bytes", MaxResponseFormat)
	}
}

// CheckText adds what is wrong with a text of least to most characters: its length, bytes that are not UTF-8, NUL.
func CheckText(errs *FieldErrors, field, s string, least, most int) {
	checkText(errs, field, s, least, most)
}

func checkText(errs *FieldErrors, field, s string, least, most int) {
	n := utf8.RuneCountInString(s)
	switch {
	case n < least && n == 0:
		errs.Add(field, "is required")
	case n < least:
		errs.Add(field, "must have at least %d characters", least)
	case n > most:
		errs.Add(field, "must have at most %d characters, has %d", most, n)
	case !utf8.ValidString(s):
		errs.Add(field, "must be valid UTF-8")
	case strings.IndexByte(s, 0) >= 0:
		errs.Add(field, "must not contain the character U+0000")
	}
}

func checkMetadata(errs *FieldErrors, m map[string]string) {
	if len(m) > MaxMetadata {
		errs.Add("metadata", "must have at most %d pairs, has %d", MaxMetadata, len(m))
		return
	}
	for _, k := range slices.Sorted(maps.Keys(m)) {
		if n := utf8.RuneCountInString(k); n == 0 || n > MaxMetadataKey {
			errs.Add("metadata", "keys must have 1 to %d characters", MaxMetadataKey)
			continue
		}
		checkText(errs, "metadata", k, 1, MaxMetadataKey)
		checkText(errs, "metadata."+k, m[k], 0, MaxMetadataValue)
	}
}

func checkVariables(errs *FieldErrors, vars []Variable) {
	if len(vars) > MaxVariables {
		errs.Add("variables", "must be at most %d, are %d", MaxVariables, len(vars))
		return
	}
	seen := map[string]bool{}
	for i, v := range vars {
		field := fmt.Sprintf("variables[%d]", i)
		if !validVariable(v.Name) {
			errs.Add(field+".name", "must match [a-z][a-z0-9_]{0,31}")
		} else if seen[v.Name] {
			errs.Add(field+".name", "is declared twice")
		}
		seen[v.Name] = true
		checkText(errs, field+".description", v.Description, 0, MaxDescription)
		if v.Default != nil {
			checkText(errs, field+".default", *v.Default, 0, MaxVariableValue)
			if v.Required {
				errs.Add(field+".default", "does not go together with required")
			}
		}
	}
}

func validVariable(s string) bool {
	if len(s) == 0 || len(s) > 32 || s[0] < 'a' || s[0] > 'z' {
		return false
	}
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '_' {
			return false
		}
	}
	return true
}

// Uses is how much other accounts than its owner's use an assistant.
type Uses struct {
	Generations int64 // charged, ever
	Accounts    int64 // with a charged generation in the last 30 days
}

// ListQuery asks for one page of an account's own assistants, newest first.
type ListQuery struct {
	Before AssistantID // exclusive; "" begins at the newest
	Limit  int
	// Text, if not empty, must be contained in name or description, case and accents aside.
	Text string
}

// AssistantName is an assistant in a list of names.
type AssistantName struct {
	ID        AssistantID
	Name      string
	CreatedAt time.Time
}

// Storage is what an account's assistants store. It counts the texts of all their versions, each in bytes of UTF-8: name, description,
// category, model, instructions and note, and response format, variables and metadata as the JSON that is stored.
type Storage struct {
	Used int64
	// Limit is how many they may store; zero means no limit. The built-in author has none.
	Limit int64
}

// AssistantStore keeps assistants. Errors are *Error: CodeNotFound, CodeForbidden, CodeValidation, CodeVersionConflict,
// CodeConflict, CodeUnavailable. Methods are safe for concurrent use; what they acknowledge is durable.
type AssistantStore interface {
	Assistants
	// CreateAssistant stores version 1. With idem, a repetition returns version 1 of the first one's assistant and
	// replayed true, or CodeConflict if that is deleted or the body was another.
	CreateAssistant(ctx context.Context, owner AccountID, f Fields, v Visibility, idem *Idempotency) (a *Assistant, replayed bool, err error)
	// ImportAssistant stores a history as a new assistant with an id of its own, its versions numbered and dated as they are
	// there. With idem, a repetition returns the first one's assistant as it is now and replayed true, or CodeConflict.
	ImportAssistant(ctx context.Context, owner AccountID, h *History, idem *Idempotency) (a *Assistant, replayed bool, err error)
	// Assistant reads the owner's own.
	Assistant(ctx context.Context, owner AccountID, id AssistantID) (*Assistant, error)
	// Assistants lists the owner's own.
	Assistants(ctx context.Context, owner AccountID, q ListQuery) (items []Assistant, more bool, err error)
	// AssistantNames lists the owner's newest by id and name, up to limit; of those alone that only names (at most MaxKeyScope), unless it is empty.
	AssistantNames(ctx context.Context, owner AccountID, only []AssistantID, limit int) ([]AssistantName, error)
	// UpdateAssistant applies a patch. ifMatch, if not 0, must be the newest version. A patch that changes something makes
	// a version.
	UpdateAssistant(ctx context.Context, owner AccountID, id AssistantID, ifMatch int, p *Patch) (*Assistant, error)
	// DeleteAssistant removes an assistant with all its versions. ifMatch is that of UpdateAssistant.
	DeleteAssistant(ctx context.Context, owner AccountID, id AssistantID, ifMatch int) error
	// AssistantStorage adds up what the owner's assistants store. Beyond the limit whatever would make a version is CodeValidation, but for
	// unpublishing and what operators do.
	AssistantStorage(ctx context.Context, owner AccountID) (Storage, error)
	// Versions lists saved versions, newest first, below before if that is not 0.
	Versions(ctx context.Context, owner AccountID, id AssistantID, before, limit int) (items []Version, more bool, err error)
	// RestoreVersion makes a version the newest again, as a new version. Visibility stays. ifMatch is that of UpdateAssistant.
	RestoreVersion(ctx context.Context, owner AccountID, id AssistantID, ifMatch, version int) (*Assistant, error)
	// WithdrawVersion removes a version that is not the newest; CodeConflict if a label stands for it.
	WithdrawVersion(ctx context.Context, owner AccountID, id AssistantID, version int) error
	// Labels lists the labels of the owner's assistant by name.
	Labels(ctx context.Context, owner AccountID, id AssistantID) ([]Label, error)
	// SetLabel makes or moves a label, at once for all that call it. Versions that are not saved are CodeValidation.
	SetLabel(ctx context.Context, owner AccountID, id AssistantID, name string, split []LabelShare) (*Label, error)
	// DeleteLabel removes a label: calls of it fail at once.
	DeleteLabel(ctx context.Context, owner AccountID, id AssistantID, name string) error
	// AssistantUses counts how much others use one of the owner's.
	AssistantUses(ctx context.Context, owner AccountID, id AssistantID) (Uses, error)
	// CopyAssistant makes a private assistant of the owner's with the fields of the version that ref names, which the owner
	// may use: their own, or one that is Copyable, else CodeForbidden. Its metadata names the original alone, and it is not
	// itself Copyable. An empty name keeps the original's. With idem, a repetition is that of CreateAssistant.
	CopyAssistant(ctx context.Context, owner AccountID, ref AssistantRef, name string, idem *Idempotency) (a *Assistant, replayed bool, err error)
	// ReportAssistant reports another account's assistant that has public versions to the operators. An account has one open
	// report for each assistant: another one replaces its reason and comment (replaced is true), and once it is decided on
	// another one is CodeConflict unless the assistant has a newer public version. MaxOpenReports is a CodeValidation error.
	ReportAssistant(ctx context.Context, account AccountID, id AssistantID, n NewReport) (r *Report, replaced bool, err error)
	// Listing reads the public view of a published assistant.
	Listing(ctx context.Context, id AssistantID) (*Listing, error)
	// Listings lists published assistants. next is where the page has ended, "" if nothing comes after it. A page behind one that
	// was ordered by a ranking which is not kept any more is CodeBadRequest.
	Listings(ctx context.Context, q ListingQuery) (items []Listing, next string, err error)
	// CategoryCounts counts published assistants by category slug.
	CategoryCounts(ctx context.Context) (map[string]int64, error)
}
