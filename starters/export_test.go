package starters

import (
	"fmt"

	"github.com/elumenta/elumenta/assistantfile"
)

// Wanted shows tests the models that starters would have, by what wants them: their own ones, and those that stand in for them.
func Wanted() (map[string]string, error) {
	models := map[string]string{}
	for i, slug := range preferred {
		models[fmt.Sprintf("preferred[%d]", i)] = slug
	}
	for _, name := range names() {
		a, err := assistantfile.Parse(name, read(name))
		if err != nil {
			return nil, err
		}
		models[name] = a.Model
	}
	return models, nil
}
