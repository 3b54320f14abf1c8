package elumenta

import (
	"fmt"
	"strings"
	"time"
)

// MaxHistory is how many versions a History may have where most of them change nothing but visibility: of the others it may have
// MaxVersions.
const MaxHistory = 10 * MaxVersions

// MaxVersionNumber is the highest number that a version of a History may have.
const MaxVersionNumber = 1_000_000

// History is an assistant with its saved versions as a file or another server has them, to become a new one.
type History struct {
	Visibility Visibility
	// Versions are numbered upwards, with gaps where one was withdrawn. The last is the newest. One without a time gets the
	// time at which it is stored, and so does one from the future.
	Versions []Version
}

// Newest is the version that the assistant begins with.
func (h *History) Newest() *Version { return &h.Versions[len(h.Versions)-1] }

// Check gathers everything that is wrong, but for models, which the catalog knows. Whoever publishes a version may have to
// check more.
func (h *History) Check() FieldErrors {
	var errs FieldErrors
	if h.Visibility != Private && h.Visibility != Marketplace {
		errs.Add("visibility", "must be private or marketplace")
	}
	switch n := len(h.Versions); {
	case n < 1 || n > MaxHistory:
		errs.Add("versions", "must be 1 to %d, are %d", MaxVersions, n)
		return errs
	case h.changes() > MaxVersions:
		errs.Add("versions", "must be at most %d beside those that change nothing but visibility, are %d", MaxVersions, h.changes())
		return errs
	}
	before := &Version{CreatedAt: time.UnixMicro(1)}
	for i := range h.Versions {
		v := &h.Versions[i]
		at := fmt.Sprintf("versions[%d].", i)
		switch {
		case v.Version < 1 || v.Version > MaxVersionNumber:
			errs.Add(at+"version", "must be between 1 and %d", MaxVersionNumber)
		case v.Version <= before.Version:
			errs.Add(at+"version", "must be higher than the one before, %d", before.Version)
		}
		switch {
		case v.CreatedAt.IsZero() && i+1 < len(h.Versions):
			errs.Add(at+"created_at", "is required for all versions but the newest")
		case !v.CreatedAt.IsZero() && v.CreatedAt.Before(before.CreatedAt):
			errs.Add(at+"created_at", "must not be before that of the version before, nor before 1970")
		}
		checkText(&errs, at+"note", v.Note, 0, MaxNote)
		for _, e := range v.Check(h.visibility(i)) {
			if e.Field != "visibility" {
				errs.Add(at+strings.TrimPrefix(e.Field, at), "%s", e.Reason)
			}
		}
		before = v
	}
	return errs
}

// changes counts the versions whose fields are not those of the version before.
func (h *History) changes() (n int) {
	for i := range h.Versions {
		if i == 0 || !h.Versions[i].Equal(h.Versions[i-1].Fields) {
			n++
		}
	}
	return n
}

// visibility is that of the assistant while a version was, or is, the newest.
func (h *History) visibility(i int) Visibility {
	if h.Versions[i].Public || i+1 == len(h.Versions) && h.Visibility == Marketplace {
		return Marketplace
	}
	return Private
}

// Public are the versions that others may use, by where they stand.
func (h *History) Public() (public []int) {
	for i := range h.Versions {
		if h.visibility(i) == Marketplace {
			public = append(public, i)
		}
	}
	return public
}
