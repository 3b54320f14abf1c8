package elumenta

import (
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"time"
)

// Limits of labels.
const (
	MaxLabels = 32    // of an assistant
	MaxSplit  = 10    // versions of a label
	MaxWeight = 10000 // of a version
)

// Label is a name under which the owner of an assistant calls a version of it, or several: asst_…@production.
type Label struct {
	Name      string
	Split     []LabelShare // one version, or how calls are divided among several, the lowest version first
	UpdatedAt time.Time
}

// LabelShare is a version and its share of a label's calls.
type LabelShare struct {
	Version int `json:"version"`
	Weight  int `json:"weight"` // relative to the sum of all
}

// ValidLabel reports whether a label is well-formed: [a-z][a-z0-9-]{0,31}.
func ValidLabel(s string) bool { return validLabel(s) }

// CheckSplit gathers what is wrong with a split; whether its versions are saved, the store knows.
func CheckSplit(split []LabelShare) (errs FieldErrors) {
	if len(split) == 0 || len(split) > MaxSplit {
		errs.Add("split", "must name 1 to %d versions", MaxSplit)
	}
	seen := map[int]bool{}
	for i, s := range split {
		at := fmt.Sprintf("split[%d].", i)
		switch {
		case s.Version < 1:
			errs.Add(at+"version", "must be the number of a saved version")
		case seen[s.Version]:
			errs.Add(at+"version", "is there twice")
		}
		if s.Weight < 1 || s.Weight > MaxWeight {
			errs.Add(at+"weight", "must be between 1 and %d", MaxWeight)
		}
		seen[s.Version] = true
	}
	return errs
}

// Choose is the version of one call: the same for the same user as long as the split stays, by chance without a user.
func (l *Label) Choose(assistant AssistantID, user UserHash) int {
	total := uint64(0)
	for _, s := range l.Split {
		total += uint64(s.Weight)
	}
	at := uint64(0)
	switch {
	case len(l.Split) == 1:
	case user == UserHash{}:
		at = rand.Uint64N(total) //nolint:gosec // which version answers is no secret
	default: // another label divides the same users in another way
		sum := sha256.Sum256(append(append(user[:], assistant...), "@"+l.Name...))
		at = binary.BigEndian.Uint64(sum[:8]) % total
	}
	for _, s := range l.Split {
		weight := uint64(s.Weight)
		if at < weight {
			return s.Version
		}
		at -= weight
	}
	return 0
}
