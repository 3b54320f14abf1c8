package wire

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/elumenta/elumenta"
)

// maxRetryAfter bounds what a provider may ask for.
const maxRetryAfter = 24 * time.Hour

var sentences = [...]string{
	elumenta.KindRejected:    "the provider refused this input",
	elumenta.KindAuth:        "the provider refused our credential or account",
	elumenta.KindRateLimited: "the provider's rate limit is reached",
	elumenta.KindOverloaded:  "the provider is overloaded",
	elumenta.KindUnreachable: "the provider could not be reached",
	elumenta.KindTimeout:     "the provider did not answer in time",
	elumenta.KindTruncated:   "the provider's answer broke off",
	elumenta.KindMalformed:   "the provider's answer is not in its format",
	elumenta.KindFailed:      "the provider failed",
}

// Fail makes an error of a fault: the answer's failure as far as the provider told it. A fault without a kind is
// KindFailed.
func (a *Answer) Fail(f Fault) *elumenta.ProviderError {
	return a.fail(f, nil)
}

func (a *Answer) fail(f Fault, cause error) *elumenta.ProviderError {
	if f.Kind == 0 {
		f.Kind = elumenta.KindFailed
	}
	if f.Message == "" {
		f.Message = sentences[f.Kind]
	}
	switch {
	case f.Kind != elumenta.KindRejected:
		f.Reason = ""
	case f.Reason == "":
		f.Reason = elumenta.RejectOther
	}
	status := a.Status
	if status < 400 {
		status = 0
	}
	return &elumenta.ProviderError{
		Kind: f.Kind, Provider: a.target, Status: status, Reason: f.Reason,
		Message: f.Message, RetryAfter: f.RetryAfter, OneModel: f.OneModel, Cause: cause,
	}
}

// Malformed makes a KindMalformed error. The message is our own sentence; cause must hold nothing of the body.
func (a *Answer) Malformed(message string, cause error) *elumenta.ProviderError {
	return a.fail(Fault{Kind: elumenta.KindMalformed, Message: message}, cause)
}

// Truncated makes a KindTruncated error: the body ended before the provider said that it had finished.
func (a *Answer) Truncated() *elumenta.ProviderError {
	return a.fail(Fault{Kind: elumenta.KindTruncated}, nil)
}

// IsEnd reports whether a body came to an end of its own, and no connection broke. It is no failure for a format whose
// provider had said before that it had finished.
func IsEnd(err error) bool {
	e, ok := errors.AsType[*elumenta.ProviderError](err)
	return ok && e.Kind == elumenta.KindTruncated && errors.Is(e.Cause, io.EOF)
}

// contextError says why the call's context ended.
func (a *Answer) contextError() *elumenta.ProviderError {
	cause := context.Cause(a.parent)
	if e, ok := errors.AsType[*elumenta.ProviderError](cause); ok {
		return e
	}
	fault := Fault{Kind: elumenta.KindTimeout}
	if errors.Is(cause, context.Canceled) {
		fault.Message = "the call was cancelled"
	}
	return a.fail(fault, cause)
}

// transportError is the failure of a request that got no response.
func (a *Answer) transportError(err error) *elumenta.ProviderError {
	if a.parent.Err() != nil {
		return a.contextError()
	}
	fault := Fault{Kind: elumenta.KindUnreachable}
	if op, ok := errors.AsType[*net.OpError](err); !ok || op.Op != "dial" {
		text := err.Error()
		timeout, ok := errors.AsType[net.Error](err)
		switch {
		case strings.Contains(text, "TLS handshake"):
		case ok && timeout.Timeout():
			fault.Kind = elumenta.KindTimeout
		case strings.Contains(text, "malformed"):
			fault.Kind = elumenta.KindMalformed
		}
	}
	return a.fail(fault, safeCause(err))
}

func (a *Answer) tooLarge() *elumenta.ProviderError {
	return a.Malformed("the provider's answer is too large", nil)
}

// readError is the failure of a read of the body.
func (a *Answer) readError(err error) *elumenta.ProviderError {
	switch {
	case a.parent.Err() != nil:
		return a.contextError()
	case errors.Is(err, ErrEventTooLarge):
		return a.Malformed("an event of the provider's stream is too large", err)
	case errors.Is(err, errStreamTooLarge):
		return a.tooLarge()
	case errors.Is(err, io.EOF):
		return a.fail(Fault{Kind: elumenta.KindTruncated}, io.EOF)
	}
	if timeout, ok := errors.AsType[net.Error](err); ok && timeout.Timeout() {
		return a.fail(Fault{Kind: elumenta.KindTimeout}, safeCause(err))
	}
	return a.fail(Fault{Kind: elumenta.KindTruncated}, safeCause(err))
}

// safeCause keeps what says where a connection failed. The texts of other errors may quote what the server sent
// (net/http quotes malformed headers, HTTP/2 a GOAWAY's debug data) and are left out; so is the URL.
func safeCause(err error) error {
	if e, ok := errors.AsType[*url.Error](err); ok {
		err = e.Err
	}
	for _, known := range []func(error) error{
		is[*net.OpError], is[*net.DNSError], is[syscall.Errno],
		is[tls.RecordHeaderError], is[tls.AlertError], is[*tls.CertificateVerificationError],
		is[x509.UnknownAuthorityError], is[x509.HostnameError], is[x509.CertificateInvalidError],
	} {
		if e := known(err); e != nil {
			return e
		}
	}
	for _, known := range []error{io.EOF, io.ErrUnexpectedEOF, io.ErrNoProgress, context.Canceled, context.DeadlineExceeded, net.ErrClosed} {
		if errors.Is(err, known) {
			return known
		}
	}
	return errors.New("transport failed")
}

// is returns the error of this type within err, or nil.
func is[T error](err error) error {
	if e, ok := errors.AsType[T](err); ok {
		return e
	}
	return nil
}

// retryAfter reads Retry-After (seconds or a date, RFC 9110 section 10.2.3) and retry-after-ms, which is finer and comes
// first (https://github.com/openai/openai-go reads it so).
func retryAfter(h http.Header, now time.Time) (time.Duration, bool) {
	if v, ok := seconds(h.Get("Retry-After-Ms"), time.Millisecond); ok {
		return v, true
	}
	value := h.Get("Retry-After")
	if v, ok := seconds(value, time.Second); ok {
		return v, true
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0, false
	}
	return min(max(at.Sub(now), 0), maxRetryAfter), true
}

func seconds(value string, unit time.Duration) (time.Duration, bool) {
	n, err := strconv.ParseFloat(strings.TrimSpace(value), 64)
	if err != nil || n != n || n < 0 {
		return 0, false
	}
	return time.Duration(min(n*float64(unit), float64(maxRetryAfter))), true
}
