package httpapi

import (
	"net/http"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/elumenta/elumenta"
)

// SurfaceRoute is where another API's generate call is served.
type SurfaceRoute struct {
	// Path is its path, such as /v1/messages.
	Path string
	// Surface decodes and answers.
	Surface elumenta.Surface
	// RequestIDHeader is where that API's clients look for the request's id, besides X-Request-Id; empty for nowhere.
	RequestIDHeader string
	// ModelsHeader is by which header of a request for models its clients are told from others; the Surface is a ModelSurface then. Empty for none.
	ModelsHeader string
	// Absent are addresses that the API has and this server does not, with what their errors and those of what is below them say.
	Absent map[string]string
	// ID and Summary describe it in the OpenAPI document; Reference is where the API itself is documented.
	ID, Summary, Reference string
}

// surfaceBase is where other APIs have their calls.
const surfaceBase = "/v1/"

// mostListedAssistants bounds how many of the caller's assistants a list of models names, the newest.
const mostListedAssistants = 1000

func (a *API) surfaceRoutes() {
	for _, route := range a.Surfaces {
		a.handle(http.MethodPost+" "+route.Path, func(c *call, r *http.Request) {
			c.answerAs(&route)
			if a.admit(c, r, need{body: bodyOfGeneration, generation: true}) {
				req, encoder, err := a.decodeSurface(c, route)
				a.generate(c, r, req, encoder, err)
			}
		})
		content := jsonOf(&huma.Schema{Type: huma.TypeObject})
		content["text/event-stream"] = &huma.MediaType{Schema: &huma.Schema{Type: huma.TypeString}}
		a.describeSurface(&huma.Operation{
			OperationID: route.ID, Method: http.MethodPost, Path: route.Path, Summary: route.Summary,
			Description:  "The same generation in another API's shape: model is a model's slug or an assistant's id.",
			ExternalDocs: &huma.ExternalDocs{URL: route.Reference},
			RequestBody:  &huma.RequestBody{Required: true, Content: jsonOf(&huma.Schema{Type: huma.TypeObject})},
		}, content)
	}
	if a.ModelSurface == nil {
		return
	}
	a.surfaceList("models", "list-surface-models", "List what requests call a model, in OpenAI's shape, or in Anthropic's with the header anthropic-version", a.surfaceModels)
	a.surfaceList("models/{model}", "get-surface-model", "Read one of them", a.surfaceModel)
}

// surfaceList adds a route that reads, in the shape of the ModelSurface.
func (a *API) surfaceList(path, id, summary string, h func(*call, *http.Request, elumenta.ModelSurface) ([]byte, error)) {
	a.handle(http.MethodGet+" "+surfaceBase+path, func(c *call, r *http.Request) {
		surface := a.modelSurface(c, r)
		if !a.admit(c, r, need{scoped: true}) {
			return
		}
		body, err := h(c, r, surface)
		if err != nil {
			c.fail(err)
			return
		}
		c.json(body)
	})
	op := &huma.Operation{OperationID: id, Method: http.MethodGet, Path: surfaceBase + path, Summary: summary}
	if _, param, ok := strings.Cut(path, "{"); ok {
		op.Parameters = []*huma.Param{{Name: strings.TrimSuffix(param, "}"), In: "path", Required: true, Schema: &huma.Schema{Type: huma.TypeString}}}
	}
	a.describeSurface(op, jsonOf(&huma.Schema{Type: huma.TypeObject}))
}

// modelSurface finds whose client asks for models, and makes errors what it expects.
func (a *API) modelSurface(c *call, r *http.Request) elumenta.ModelSurface {
	for i := range a.Surfaces {
		route := &a.Surfaces[i]
		if s, ok := route.Surface.(elumenta.ModelSurface); ok && route.ModelsHeader != "" && r.Header.Get(route.ModelsHeader) != "" {
			c.answerAs(route)
			return s
		}
	}
	c.surface = a.ModelSurface
	return a.ModelSurface
}

// describeSurface adds an operation in another API's shape to the OpenAPI document: that API's own documentation says more.
func (a *API) describeSurface(op *huma.Operation, answer map[string]*huma.MediaType) {
	op.Tags = []string{"Other APIs"}
	op.Security = []map[string][]string{{"key": {}}}
	op.Responses = map[string]*huma.Response{
		"200":     {Description: "As that API answers.", Content: answer},
		"default": {Description: "An error as that API has it.", Content: jsonOf(&huma.Schema{Type: huma.TypeObject})},
	}
	a.huma.OpenAPI().AddOperation(op)
}

// decodeSurface reads the body of another API's generate call.
func (a *API) decodeSurface(c *call, route SurfaceRoute) (*elumenta.Request, elumenta.Encoder, error) {
	if err := countable(c.body); err != nil {
		return nil, nil, err
	}
	in, err := route.Surface.Decode(c.body)
	if err != nil {
		return nil, nil, err
	}
	if _, known := a.settings().Catalog.Get(in.Model); in.Model != "" && !known {
		return nil, nil, elumenta.NotFound("model")
	}
	var read reader
	in.Idempotency = a.idempotency(c, route.ID, &read)
	if err := read.err(); err != nil {
		return nil, nil, err
	}
	if in.EndUser != "" {
		in.User = a.Secret.User(c.caller.Account.ID, in.EndUser)
	}
	in.ID, in.RequestID, in.ReceivedAt = elumenta.NewGenerationID(), c.id, c.started
	return &in.Request, in.Encoder, nil
}

// countable refuses a body that would come to much more in memory than it is: the decoders of other APIs make what is in a list before
// they count it.
func countable(body []byte) error {
	switch deepest, values := measure(body); {
	case deepest > maxDepth:
		return elumenta.Errorf(elumenta.CodeBadRequest, "the body is not valid: it nests deeper than %d levels", maxDepth)
	case values > maxValues:
		return elumenta.Errorf(elumenta.CodePayloadTooLarge, "the body has more than %d values, the limit of this call", maxValues)
	}
	return nil
}

// surfaceModels lists what the caller's key may generate with: the models that are available, and the caller's newest assistants. A key
// limited to models or a budget reads no names of assistants.
func (a *API) surfaceModels(c *call, r *http.Request, surface elumenta.ModelSurface) ([]byte, error) {
	limits := &c.caller.Key.Limits
	var list []elumenta.SurfaceModel
	if limits.Assistants == nil {
		for _, m := range a.settings().Catalog.Models() {
			if m.Available() && m.Category == "text" && limits.AllowsModel(m.Slug) {
				list = append(list, a.modelEntry(m))
			}
		}
	}
	if limits.Scoped() && limits.Assistants == nil {
		return surface.Models(nil, list, r.URL.Query()) // it may be given away, and its holder is to know of nothing else
	}
	own, err := a.Assistants.AssistantNames(r.Context(), c.caller.Account.ID, limits.Assistants, mostListedAssistants)
	if err != nil {
		return nil, err
	}
	for _, n := range own {
		list = append(list, assistantEntry(n))
	}
	return surface.Models(nil, list, r.URL.Query())
}

// surfaceModel is one model, or an assistant, a version or a label that the caller's key may use. Its id is the one that was asked for.
func (a *API) surfaceModel(c *call, r *http.Request, surface elumenta.ModelSurface) ([]byte, error) {
	entry, err := a.surfaceEntry(c, r)
	if err != nil {
		return nil, err
	}
	entry.ID = r.PathValue("model")
	return surface.Model(nil, &entry), nil
}

func (a *API) surfaceEntry(c *call, r *http.Request) (none elumenta.SurfaceModel, err error) {
	ctx, account, limits := r.Context(), c.caller.Account.ID, &c.caller.Key.Limits
	ref, slug := elumenta.ParseTarget(r.PathValue("model"))
	if slug != "" {
		m, ok := a.settings().Catalog.Get(slug)
		if !ok || !m.Available() || limits.Assistants != nil || !limits.AllowsModel(slug) {
			return none, elumenta.NotFound("model")
		}
		return a.modelEntry(m), nil
	}
	if !limits.AllowsAssistant(ref.ID) {
		return none, elumenta.NotFound("model")
	}
	if ref.Label != "" {
		_, _, err = a.Assistants.ResolveLabel(ctx, account, ref.ID, ref.Label)
	} else {
		_, err = a.Assistants.Resolve(ctx, account, ref)
	}
	if err != nil {
		return none, err
	}
	own, err := a.Assistants.Assistant(ctx, account, ref.ID)
	if err == nil {
		return assistantEntry(elumenta.AssistantName{ID: own.ID, Name: own.Name, CreatedAt: own.CreatedAt}), nil
	}
	if !elumenta.HasCode(err, elumenta.CodeNotFound) {
		return none, err
	}
	l, err := a.Assistants.Listing(ctx, ref.ID)
	if err != nil {
		return none, err
	}
	return assistantEntry(elumenta.AssistantName{ID: l.ID, Name: l.Name, CreatedAt: l.CreatedAt}), nil
}

func assistantEntry(n elumenta.AssistantName) elumenta.SurfaceModel {
	return elumenta.SurfaceModel{ID: string(n.ID), Name: n.Name, Owner: "assistant", CreatedAt: n.CreatedAt}
}

func (a *API) modelEntry(m *elumenta.Model) elumenta.SurfaceModel {
	return elumenta.SurfaceModel{ID: m.Slug, Name: m.Name, Owner: m.Provider, CreatedAt: a.started}
}

// retryHelps reports whether the same request may succeed later (https://github.com/openai/openai-node reads X-Should-Retry, as its kin do).
func retryHelps(e *elumenta.Error) bool {
	switch e.Code {
	case elumenta.CodeRateLimited, elumenta.CodeTooManyStreams, elumenta.CodeProvider, elumenta.CodeProviderTimeout, elumenta.CodeModelUnavailable,
		elumenta.CodeUnavailable, elumenta.CodeInternal:
		return true
	}
	return e.RetryAfter > 0
}
