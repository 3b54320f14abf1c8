package httpapi

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/elumenta/elumenta"
)

const about = `Reusable AI assistants: create one once, then send only its id.

Errors have one shape; "error" is for programs and never changes. Every response carries X-Request-Id. Names of body
fields that are not known are refused, except at the top level of /generate and in its params, where they are left out
with a warning.`

func (a *API) describe() *huma.OpenAPI {
	return &huma.OpenAPI{
		OpenAPI: "3.1.0",
		Info: &huma.Info{
			Title: "Elumenta", Version: a.Version, Description: about,
			License: &huma.License{Name: "Apache-2.0", Identifier: "Apache-2.0"},
		},
		Components: &huma.Components{
			Schemas:         huma.NewMapRegistry("#/components/schemas/", schemaName),
			SecuritySchemes: map[string]*huma.SecurityScheme{"key": {Type: "http", Scheme: "bearer", Description: "An API key, nb_…"}},
			Headers:         headers(),
		},
	}
}

// schemaName names a schema after its type, without what only tells our own types apart.
func schemaName(t reflect.Type, hint string) string {
	name := huma.DefaultSchemaNamer(t, hint)
	return strings.NewReplacer("View", "", "Doc", "").Replace(name)
}

func schemaOf[T any](r huma.Registry) *huma.Schema {
	t := reflect.TypeFor[T]()
	return r.Schema(t, true, t.Name())
}

func headers() map[string]*huma.Header {
	integer := func(doc string) *huma.Header {
		return &huma.Header{Description: doc, Schema: &huma.Schema{Type: huma.TypeInteger}}
	}
	return map[string]*huma.Header{
		"X-Request-Id":               {Description: "Finds the request in the server's log.", Schema: &huma.Schema{Type: huma.TypeString}},
		"Retry-After":                integer("Seconds."),
		"X-RateLimit-Limit-Hour":     integer("Generations the plan allows in a clock hour, UTC; absent for no limit."),
		"X-RateLimit-Remaining-Hour": integer("Generations left in this hour."),
		"X-RateLimit-Reset-Hour":     integer("When the hour ends, Unix seconds."),
		"X-RateLimit-Limit-Day":      integer("Generations the plan allows in a day, UTC; absent for no limit."),
		"X-RateLimit-Remaining-Day":  integer("Generations left on this day."),
		"X-RateLimit-Reset-Day":      integer("When the day ends, Unix seconds."),
		"Sunset":                     {Description: "When the model retires (RFC 8594), if that is known.", Schema: &huma.Schema{Type: huma.TypeString}},
		"Server-Timing":              {Description: "gateway;dur=…, provider;dur=… in milliseconds.", Schema: &huma.Schema{Type: huma.TypeString}},
	}
}

// named keeps a schema that is not made from a type's fields as a component, once.
func named[T huma.SchemaProvider](r huma.Registry, name string) *huma.Schema {
	if r.Map()[name] == nil {
		var v T
		r.Map()[name] = v.Schema(r)
	}
	return &huma.Schema{Ref: "#/components/schemas/" + name}
}

// codesOf lists the error codes of each status, by the contract.
func codesOf(status int) string {
	var codes []string
	for _, c := range allCodes() {
		if statusOf(&elumenta.Error{Code: c}) == status {
			codes = append(codes, string(c))
		}
	}
	if len(codes) == 0 {
		return string(elumenta.CodeBadRequest)
	}
	return strings.Join(codes, ", ")
}

func allCodes() []elumenta.Code {
	return []elumenta.Code{
		elumenta.CodeBadRequest, elumenta.CodeNotAuthenticated, elumenta.CodeInsufficientTokens, elumenta.CodeInsufficientPlan,
		elumenta.CodeForbidden, elumenta.CodeAccountSuspended, elumenta.CodeNotFound, elumenta.CodeConflict,
		elumenta.CodeVersionConflict, elumenta.CodePayloadTooLarge, elumenta.CodeValidation, elumenta.CodeProviderRejected,
		elumenta.CodeRateLimited, elumenta.CodeTooManyStreams, elumenta.CodeInternal, elumenta.CodeProvider,
		elumenta.CodeModelUnavailable, elumenta.CodeUnavailable, elumenta.CodeProviderTimeout,
	}
}

type errorDoc struct{}

// Schema describes every error.
func (errorDoc) Schema(huma.Registry) *huma.Schema {
	var codes []any
	for _, c := range allCodes() {
		codes = append(codes, string(c))
	}
	limit := &huma.Schema{Type: huma.TypeInteger, Nullable: true, Description: "With rate_limit_exceeded: null for no limit."}
	return &huma.Schema{
		Type: huma.TypeObject, Required: []string{"error", "message", "details", "request_id"}, AdditionalProperties: false,
		Properties: map[string]*huma.Schema{
			"error":       {Type: huma.TypeString, Enum: codes, Description: "For programs; never changes its meaning."},
			"message":     {Type: huma.TypeString, Description: "For people; says what to do."},
			"details":     {Type: huma.TypeObject, AdditionalProperties: true, Description: "With validation_error: fields, a list of field and reason."},
			"request_id":  {Type: huma.TypeString},
			"retry_after": {Type: huma.TypeInteger, Description: "With rate_limit_exceeded: seconds."},
			"plan":        {Type: huma.TypeString, Description: "With rate_limit_exceeded."},
			"limit_hour":  limit,
			"limit_day":   limit,
		},
	}
}

// bodies are the schemas of the requests that our own readers decode.
func (a *API) bodies() map[string]*huma.Schema {
	r := a.huma.OpenAPI().Components.Schemas
	return map[string]*huma.Schema{
		"create-assistant": schemaOf[createAssistantDoc](r),
		"update-assistant": schemaOf[updateAssistantDoc](r),
		"create-key":       schemaOf[createKeyDoc](r),
		"update-key":       schemaOf[updateKeyDoc](r),
		"update-user":      schemaOf[displayNameDoc](r),
		"generate":         schemaOf[generateRequestDoc](r),
		"copy-assistant":   schemaOf[copyAssistantDoc](r),
		"set-label":        schemaOf[newLabelDoc](r),
		"import-assistant": schemaOf[importAssistantDoc](r),
		"report-assistant": schemaOf[newReportDoc](r),

		"admin-create-account":      schemaOf[newAccountDoc](r),
		"admin-update-account":      schemaOf[updateAccountDoc](r),
		"admin-set-plan":            schemaOf[setPlanDoc](r),
		"admin-topup":               schemaOf[topupDoc](r),
		"admin-suspend":             schemaOf[reasonDoc](r),
		"admin-resume":              schemaOf[reasonDoc](r),
		"admin-unpublish-assistant": schemaOf[unpublishDoc](r),
		"admin-allow-assistant":     schemaOf[reasonDoc](r),
		"admin-dismiss-reports":     schemaOf[reasonDoc](r),
	}
}

func jsonOf(s *huma.Schema) map[string]*huma.MediaType {
	return map[string]*huma.MediaType{"application/json": {Schema: s}}
}

// complete adds to each operation what huma does not know of: bodies, errors and headers.
func (a *API) complete() {
	doc := a.huma.OpenAPI()
	fails := named[errorDoc](doc.Components.Schemas, "Error")
	bodies := a.bodies()
	for _, op := range operations(doc) {
		if strings.HasPrefix(op.Path, surfaceBase) {
			for status, r := range op.Responses {
				addHeaders(op, status, r)
			}
			continue
		}
		delete(op.Responses, "default")
		if s := bodies[op.OperationID]; s != nil {
			optional, _ := op.Metadata[optionalBody].(bool)
			op.RequestBody = &huma.RequestBody{Required: !optional, Content: jsonOf(s)}
		}
		for _, status := range statuses(op) {
			op.Responses[strconv.Itoa(status)] = &huma.Response{Description: codesOf(status), Content: jsonOf(fails)}
		}
		for status, r := range op.Responses {
			addHeaders(op, status, r)
			op.Responses[status] = share(doc, op, status, r)
		}
	}
	get := doc.Paths[Base+"/assistants/{id}"].Get
	own, public := schemaOf[assistantView](doc.Components.Schemas), schemaOf[listingView](doc.Components.Schemas)
	get.Responses["200"].Content = jsonOf(&huma.Schema{OneOf: []*huma.Schema{own, public}})
	get.Responses["304"] = &huma.Response{Description: "Nothing has changed.", Headers: get.Responses["200"].Headers}
	report := doc.Paths[Base+"/assistants/{id}/reports"].Post
	first := report.Responses["201"]
	report.Responses["200"] = &huma.Response{Description: "It replaced your open report.", Content: first.Content, Headers: first.Headers}
	r := doc.Components.Schemas
	for path, view := range map[string]*huma.Schema{
		"/usage": schemaOf[usageView](r), "/admin/usage": schemaOf[usageView](r),
		"/balance/statement": schemaOf[page[statementView]](r), "/admin/accounts/{id}/ledger": schemaOf[page[ledgerView]](r),
	} {
		answer := doc.Paths[Base+path].Get.Responses["200"]
		answer.Content = jsonOf(view)
		answer.Content[csvType] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
	}
	delete(doc.Components.Schemas.Map(), "ErrorModel") // huma's own, which are never sent
	delete(doc.Components.Schemas.Map(), "ErrorDetail")
}

// share keeps an error's description once, for all operations that need a key. A conflict of generate has a header more.
func share(doc *huma.OpenAPI, op *huma.Operation, status string, r *huma.Response) *huma.Response {
	if status < "400" || len(op.Security) == 0 || status == "409" && op.OperationID == "generate" {
		return r
	}
	name := "Error" + status
	if doc.Components.Responses == nil {
		doc.Components.Responses = map[string]*huma.Response{}
	}
	doc.Components.Responses[name] = r
	return &huma.Response{Ref: responsesBase + name}
}

const responsesBase = "#/components/responses/"

// shared returns what a reference stands for.
func shared(doc *huma.OpenAPI, r *huma.Response) *huma.Response {
	if r.Ref == "" {
		return r
	}
	return doc.Components.Responses[strings.TrimPrefix(r.Ref, responsesBase)]
}

func operations(doc *huma.OpenAPI) (ops []*huma.Operation) {
	for _, item := range doc.Paths {
		for _, op := range []*huma.Operation{item.Get, item.Post, item.Put, item.Patch, item.Delete} {
			if op != nil {
				ops = append(ops, op)
			}
		}
	}
	slices.SortFunc(ops, func(x, y *huma.Operation) int { return strings.Compare(x.Path+x.Method, y.Path+y.Method) })
	return ops
}

// statuses are the errors that an operation may answer.
func statuses(op *huma.Operation) []int {
	if len(op.Security) == 0 {
		return []int{500}
	}
	s := []int{401, 403, 406, 422, 429, 500, 503}
	if op.RequestBody != nil {
		s = append(s, 400, 408, 413, 415)
	}
	if strings.Contains(op.Path, "{") {
		s = append(s, 404)
	}
	if slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool { return p.Name == "cursor" || strings.HasPrefix(p.Name, "If-") }) {
		s = append(s, 400)
	}
	if slices.ContainsFunc(op.Parameters, func(p *huma.Param) bool { return p.Name == "If-Match" }) {
		s = append(s, 412)
	}
	switch op.OperationID {
	case "create-assistant", "copy-assistant", "import-assistant", "report-assistant", "create-key", "update-assistant", "restore-version", "withdraw-version",
		"admin-create-account", "admin-update-account", "admin-topup", "admin-suspend":
		s = append(s, 409)
	case "generate":
		s = append(s, 402, 404, 409, 502, 504)
	}
	return s
}

func addHeaders(op *huma.Operation, status string, r *huma.Response) {
	if r.Headers == nil {
		r.Headers = map[string]*huma.Param{}
	}
	add := func(names ...string) {
		for _, n := range names {
			r.Headers[n] = &huma.Param{Ref: "#/components/headers/" + n}
		}
	}
	add("X-Request-Id")
	if len(op.Security) > 0 && status != "401" {
		add("X-RateLimit-Limit-Hour", "X-RateLimit-Remaining-Hour", "X-RateLimit-Reset-Hour",
			"X-RateLimit-Limit-Day", "X-RateLimit-Remaining-Day", "X-RateLimit-Reset-Day")
	}
	switch {
	case status == "429" || status == "503" || status == "409" && op.OperationID == "generate":
		add("Retry-After")
	case status == "200" && (op.OperationID == "generate" || op.Method == http.MethodPost && strings.HasPrefix(op.Path, surfaceBase)):
		add("Sunset", "Server-Timing")
	}
}

func (a *API) generateOperation() *huma.Operation {
	r := a.huma.OpenAPI().Components.Schemas
	content := jsonOf(schemaOf[generationDoc](r))
	content["text/event-stream"] = &huma.MediaType{Schema: named[streamEventDoc](r, "StreamEvent")}
	most := elumenta.MaxIdempotencyKey
	return &huma.Operation{
		OperationID: "generate", Method: http.MethodPost, Path: generatePath, Tags: []string{"Generate"}, Summary: "Generate an answer",
		Description: "Nothing of the conversation is kept. The top level beats params; an unknown field of either is left out and named in " +
			"warnings. With stream true the answer is a stream of server-sent events; " +
			"what fails before it opens is an ordinary error, what fails after it is an event of the type error.",
		Security: []map[string][]string{{"key": {}}},
		Parameters: []*huma.Param{{
			Name: "Idempotency-Key", In: "header", Schema: &huma.Schema{Type: huma.TypeString, MaxLength: &most},
			Description: "1 to 255 visible ASCII characters, your own; while it counts, for 24 hours, the same call is not charged twice: it gets 409.",
		}},
		Responses: map[string]*huma.Response{"200": {Description: "The answer, whole or as a stream.", Content: content}},
	}
}

// The probes' addresses.
const (
	healthPath = "/healthz"
	readyPath  = "/readyz"
)

// isProbe reports whether an address is a probe's, which nobody wants to see in traces.
func isProbe(path string) bool { return path == healthPath || path == readyPath }

func (a *API) probeRoutes() {
	a.plain(healthPath, &huma.Operation{OperationID: "healthz", Summary: "Whether the server is alive"}, func(c *call, _ *http.Request) {
		c.quiet = true
		c.json([]byte(`{"status":"ok"}` + "\n"))
	})
	a.plain(readyPath, &huma.Operation{OperationID: "readyz", Summary: "Whether the server wants traffic"}, func(c *call, r *http.Request) {
		if err := a.Ready(r.Context()); err != nil {
			c.fail(elumenta.Unavailable(fmt.Errorf("not ready: %w", err)))
			return
		}
		c.quiet = true
		c.json([]byte(`{"status":"ready"}` + "\n"))
	})
}

// plain adds a GET route at the root, without authentication.
func (a *API) plain(path string, op *huma.Operation, h func(*call, *http.Request)) {
	a.handle(http.MethodGet+" "+path, func(c *call, r *http.Request) {
		c.route = r.Pattern
		h(c, r)
	})
	status := &huma.Schema{
		Type: huma.TypeObject, Required: []string{"status"}, Properties: map[string]*huma.Schema{"status": {Type: huma.TypeString}},
	}
	op.Method, op.Path, op.Tags = http.MethodGet, path, []string{"Server"}
	if op.Responses == nil {
		op.Responses = map[string]*huma.Response{"200": {Description: "OK", Content: jsonOf(status)}}
	}
	if op.OperationID == "readyz" {
		fails := named[errorDoc](a.huma.OpenAPI().Components.Schemas, "Error")
		op.Responses["503"] = &huma.Response{Description: codesOf(http.StatusServiceUnavailable), Content: jsonOf(fails)}
	}
	a.huma.OpenAPI().AddOperation(op)
}

func (c *call) json(body []byte) {
	c.Header()["Content-Type"] = jsonType
	c.Header().Set("Cache-Control", "no-store")
	_, _ = c.Write(body) // the client may be gone
}

// documentRoutes adds the document, rendered once, and the page that shows it.
func (a *API) documentRoutes() error {
	anything := map[string]*huma.Response{
		"200": {Description: "This document", Content: jsonOf(&huma.Schema{Type: huma.TypeObject})},
		"304": {Description: "Nothing has changed."},
	}
	a.plain("/openapi.json", &huma.Operation{OperationID: "openapi", Summary: "This document", Responses: anything}, a.serveDocument)
	page := map[string]*huma.Response{"200": {
		Description: "HTML", Content: map[string]*huma.MediaType{"text/html": {Schema: &huma.Schema{Type: huma.TypeString}}},
	}}
	a.plain("/docs", &huma.Operation{OperationID: "docs", Summary: "This document, to read", Responses: page}, a.serveDocs)
	a.complete()
	var err error
	if a.document, err = json.Marshal(a.huma.OpenAPI()); err != nil {
		return fmt.Errorf("write the OpenAPI document: %w", err)
	}
	sum := sha256.Sum256(a.document)
	a.documentTag = `"` + hex.EncodeToString(sum[:12]) + `"`
	a.docs, err = renderDocs(a.huma.OpenAPI())
	return err
}

func (a *API) serveDocument(c *call, r *http.Request) {
	h := c.Header()
	h.Set("ETag", a.documentTag)
	h.Set("Cache-Control", "no-cache")
	if known, err := parseTags("If-None-Match", r.Header.Values("If-None-Match")); err == nil && known != nil && known.matchWeak(a.documentTag) {
		c.WriteHeader(http.StatusNotModified)
		return
	}
	h["Content-Type"] = jsonType
	_, _ = c.Write(a.document) // the client may be gone
}
