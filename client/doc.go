// Package client calls an Elumenta server. Types and methods are generated from the server's OpenAPI document; docs/contract.md says what
// the calls do. It needs nothing but the standard library, and is a module of its own, so that whoever imports it gets nothing of the server.
//
//	c := client.New("http://127.0.0.1:8080", key)
//	answer, err := c.Generate(ctx, client.GenerateRequest{AssistantID: "asst_…", Prompt: "Where is my parcel?"})
//
// Errors of the server are an [*Error]. A call ends with its context; there is no other time limit and nothing is repeated. Names that a newer
// server adds are left out of what is decoded, and constants are those that this version knows: be ready for others.
package client
