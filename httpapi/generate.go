package httpapi

import (
	"net/http"

	"github.com/elumenta/elumenta"
)

const generatePath = Base + "/generate"

// generateRoute adds the one route that huma does not serve: it describes it only.
func (a *API) generateRoute() {
	a.handle(http.MethodPost+" "+generatePath, func(c *call, r *http.Request) {
		if a.admit(c, r, need{body: bodyOfGeneration, generation: true}) {
			req, err := a.decodeGenerate(c)
			a.generate(c, r, req, native{}, err)
		}
	})
	a.huma.OpenAPI().AddOperation(a.generateOperation())
}

// generate answers a decoded request, or what was wrong with it.
func (a *API) generate(c *call, r *http.Request, req *elumenta.Request, encoder elumenta.Encoder, err error) {
	a.release(c)
	if err != nil {
		err = a.confirm(c, r, err)
		a.setCallerRate(c)
		c.fail(err)
		return
	}
	if req.Stream {
		a.stream(c, r, req, encoder)
		return
	}
	w := a.newWhole(c, encoder)
	a.Generator.Generate(r.Context(), c.caller, req, w)
	w.close() // not where something panics, since what had begun to write into it may go on
}

func (a *API) stream(c *call, r *http.Request, req *elumenta.Request, encoder elumenta.Encoder) {
	s := a.newStream(c, encoder)
	defer s.close()
	returned := false
	defer func() {
		if !returned && s.started != nil { // a panic, which goes on: its stream must not look as if it just stopped
			_ = s.Fail(elumenta.Internal(nil), elumenta.Settled{})
		}
	}()
	a.Generator.Generate(r.Context(), c.caller, req, s)
	returned = true
}

func refuseQuery(r *http.Request) error {
	if r.URL.RawQuery == "" {
		return nil
	}
	var errs elumenta.FieldErrors
	errs.Add("query", "is not known here: the request is the body")
	return errs.Err()
}
