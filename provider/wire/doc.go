// Package wire is what the formats of model providers share: sending a request and mapping its failure, reading an event
// stream, and passing pieces on with pauses where the next read may wait. A format builds a [Call], sends it, and feeds
// the [Answer] to its own decoder:
//
//	answer, err := call.Send(ctx)
//	if err != nil {
//		return elumenta.Completion{}, err
//	}
//	defer answer.Close()
//	out := wire.NewEmitter(emit)
//	stream, err := answer.IsStream()
//	…
//	if stream {
//		err = answer.Events(out, decoder.event) // event(name, data []byte) (done bool, err error)
//	} else {
//		err = answer.Whole(decoder.whole) // whole(body []byte) error
//	}
package wire
