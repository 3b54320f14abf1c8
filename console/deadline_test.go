package console

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"testing/synctest"
	"time"
)

// reading is a writer that knows by when its client must have read.
type reading struct {
	http.ResponseWriter
	by time.Time
}

func (r *reading) SetWriteDeadline(at time.Time) error {
	r.by = at
	return nil
}

// A page gets its time when it is there to be read, however long a model took.
func TestDeadlineOfPages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := New(Options{})
		if err != nil {
			t.Fatal(err)
		}
		c.mux.HandleFunc("GET "+Base+"slow", func(w http.ResponseWriter, _ *http.Request) {
			time.Sleep(2 * pageTimeout)
			w.WriteHeader(http.StatusOK)
		})
		w := &reading{ResponseWriter: httptest.NewRecorder()}
		c.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, Base+"slow", nil))
		if want := time.Now().Add(pageTimeout); !w.by.Equal(want) {
			t.Errorf("to be read by %v, want %v", w.by, want)
		}
	})
}
