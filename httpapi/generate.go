package httpapi

import (
	"net/http"

	"github.com/elumenta/elumenta"
)

const generatePath = Base + "/generate"

// generateRoute adds the one route that huma does not serve: it describes it only.
func (a *API) generateRoute() {
	a.mux.HandleFunc(http.MethodPost+" "+generatePath, func(_ http.ResponseWriter, r *http.Request) {
		if c := callOf(r.Context()); a.admit(c, r, need{body: a.GenerateBody, generation: true}) {
			a.generate(c, r)
		}
	})
	a.huma.OpenAPI().AddOperation(a.generateOperation())
}

func (a *API) generate(c *call, r *http.Request) {
	var req *elumenta.Request
	err := refuseQuery(r)
	if err == nil {
		req, err = a.decodeGenerate(c)
	}
	a.release(c)
	if err != nil {
		err = a.confirm(c, r, err)
		a.setCallerRate(c)
		c.fail(err)
		return
	}
	if req.Stream {
		a.stream(c, r, req)
		return
	}
	w := a.newWhole(c)
	defer w.close()
	a.Generator.Generate(r.Context(), c.caller, req, w)
}

func (a *API) stream(c *call, r *http.Request, req *elumenta.Request) {
	s := a.newStream(c)
	defer s.close()
	returned := false
	defer func() {
		if !returned && s.opened { // a panic, which goes on: its stream must not look as if it just stopped
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
