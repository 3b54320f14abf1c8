package anthropicapi

import "github.com/elumenta/elumenta"

// Messages is POST /v1/messages (https://platform.claude.com/docs/en/api/messages/create). The zero value is ready for use.
type Messages struct{}

var _ elumenta.ModelSurface = Messages{}

// Decode reads the body of a call; see elumenta.Surface.
func (Messages) Decode(body []byte) (*elumenta.SurfaceRequest, error) {
	var d decoding
	d.read(body, d.member)
	if d.broken != nil {
		return nil, d.broken
	}
	d.finish()
	if err := d.errs.Err(); err != nil {
		return nil, err
	}
	d.req.Warnings = d.warnings
	// Who asks for neither may read the first block as the text. With tools there may be state to bring back.
	d.req.ShowsReasoning = d.req.Reasoning.Mode == elumenta.ReasoningOn || len(d.req.Tools) > 0
	return &elumenta.SurfaceRequest{Request: d.req, EndUser: d.endUser, Encoder: &encoder{effort: d.req.Reasoning.Mode == ""}}, nil
}
