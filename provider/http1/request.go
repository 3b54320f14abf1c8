package http1

import (
	"cmp"
	"context"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
)

const userAgent = "Go-http-client/1.1" // as net/http's

// takes reports whether the request is of the kind that this transport is made for. What is unusual or wrong is the
// wrapped transport's, which has an answer to everything.
func (t *Transport) takes(ctx context.Context, req *http.Request) bool {
	u := req.URL
	switch {
	case !usable, u == nil, u.Scheme != "http", u.Host == "", req.Header == nil:
		return false
	case hasBody(req) && (req.ContentLength <= 0 || req.ContentLength > maxBody), req.Body == nil && req.ContentLength != 0:
		return false
	case len(req.TransferEncoding) > 0, len(req.Trailer) > 0, !plainMethod(req.Method), !plainHost(u.Host), !plainHost(req.Host):
		return false
	case u.Opaque != "", strings.ContainsAny(u.RawQuery, " \t"), !plainValue(u.RawQuery):
		return false
	case req.Cancel != nil, httptrace.ContextClientTrace(ctx) != nil: //nolint:staticcheck // whoever still sets Cancel gets it
		return false
	}
	for name, values := range req.Header {
		switch name {
		case "Connection", "Expect", "Upgrade":
			return false
		}
		if !plainName(name) {
			return false
		}
		for _, v := range values {
			if !plainValue(v) {
				return false
			}
		}
	}
	if t.base.Proxy == nil {
		return true
	}
	proxy, err := t.base.Proxy(req)
	return proxy == nil && err == nil
}

func plainMethod(s string) bool {
	for i := range len(s) {
		if s[i] < 'A' || s[i] > 'Z' {
			return false
		}
	}
	return s != http.MethodConnect
}

func plainName(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_':
		default:
			return false
		}
	}
	return s != ""
}

// plainValue is false for control characters: a line break would begin another header field.
func plainValue(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}

// plainHost is false for what net/http changes: international names, zones of IPv6 addresses, and what no host has.
func plainHost(s string) bool {
	for i := range len(s) {
		switch c := s[i]; {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '-', c == '_', c == '.', c == ':', c == '[', c == ']':
		default:
			return false
		}
	}
	return true
}

func hasBody(req *http.Request) bool { return req.Body != nil && req.Body != http.NoBody }

// appendHead appends what [http.Request.Write] would write before a body of this length.
func appendHead(b []byte, req *http.Request, length int64) []byte {
	method := cmp.Or(req.Method, http.MethodGet)
	b = append(append(b, method...), ' ')
	b = append(append(b, req.URL.RequestURI()...), " HTTP/1.1\r\n"...)
	b = appendField(b, "Host", cmp.Or(req.Host, req.URL.Host))
	agent := userAgent
	if _, ok := req.Header["User-Agent"]; ok {
		agent = req.Header.Get("User-Agent")
	}
	if agent != "" {
		b = appendField(b, "User-Agent", agent)
	}
	if req.Close {
		b = appendField(b, "Connection", "close")
	}
	if length > 0 || method == http.MethodPost || method == http.MethodPut || method == http.MethodPatch {
		b = append(strconv.AppendInt(append(b, "Content-Length: "...), length, 10), "\r\n"...)
	}
	return append(appendHeader(b, req.Header), "\r\n"...)
}

// appendHeader appends what is not said elsewhere, in the order of its names.
func appendHeader(b []byte, h http.Header) []byte {
	var some [16]string
	names := some[:0]
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		switch name {
		case "Host", "User-Agent", "Content-Length", "Transfer-Encoding", "Trailer":
			continue
		}
		for _, value := range h[name] {
			b = appendField(b, name, value)
		}
	}
	return b
}

func appendField(b []byte, name, value string) []byte {
	b = append(append(b, name...), ": "...)
	return append(append(b, textproto.TrimString(value)...), "\r\n"...)
}
