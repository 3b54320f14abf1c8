package console

import (
	"net/http"
	"time"
)

// pageTimeout is how long a browser may take to read a page. What the API streams through has the API's limits.
const pageTimeout = 5 * time.Minute

// limited sets the deadline of writes when an answer begins: a page may wait for a model before.
type limited struct {
	http.ResponseWriter
	begun bool
}

func (l *limited) begin() {
	if !l.begun {
		l.begun = true
		_ = http.NewResponseController(l.ResponseWriter).SetWriteDeadline(time.Now().Add(pageTimeout)) // not every writer has one
	}
}

// WriteHeader begins the answer.
func (l *limited) WriteHeader(status int) {
	l.begin()
	l.ResponseWriter.WriteHeader(status)
}

// Write begins the answer, if nothing has.
func (l *limited) Write(b []byte) (int, error) {
	l.begin()
	return l.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (l *limited) Unwrap() http.ResponseWriter { return l.ResponseWriter }
