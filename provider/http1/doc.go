// Package http1 is a lighter client for providers that speak plain HTTP/1.1: a model server in the same network (vLLM,
// Ollama, a gateway), where neither TLS nor HTTP/2 is in use.
//
// [net/http.Transport] reads and writes each connection in two goroutines with a buffer each, and hands every call from one
// to the other. [Transport] does the whole call in the goroutine that makes it. Measured through the server
// (docs/benchmarks.md says how), that is processor time for each call, and the stacks and buffers of each stream that is
// open; ARCHITECTURE.md (Streams) has the figures.
//
// What goes over the wire is the standard library's: requests, of a plain kind only, are written byte for byte as
// [net/http.Request.Write] does, and answers are read by [net/http.ReadResponse]. This package adds connections: their pool, and
// how a call ends with its context.
package http1
