package wire

import (
	"context"
	"encoding/json"
)

// MostListPages bounds how many pages of a provider's list of models are read.
const MostListPages = 20

// List makes a request without a body and decodes its answer, JSON, into a pointer. Its errors are those of Send, and KindMalformed for what is no such JSON.
func (c *Call) List(ctx context.Context, into any) error {
	a, err := c.Send(ctx)
	if err != nil {
		return err
	}
	defer a.Close()
	return a.Whole(func(body []byte) error {
		if err := json.Unmarshal(body, into); err != nil {
			return a.Malformed("the provider's list of models is not what it should be", nil)
		}
		return nil
	})
}
