package wire

import "github.com/elumenta/elumenta"

// Emitter passes events on, leaves empty pieces out and knows when a pause is due. The first error of the function that
// it wraps ends it: every later call returns that error.
type Emitter struct {
	emit func(elumenta.Event) error
	open bool // something was emitted since the last pause
	size int  // bytes of text so far
	err  error
}

// NewEmitter wraps the function that a Provider was given.
func NewEmitter(emit func(elumenta.Event) error) *Emitter { return &Emitter{emit: emit} }

// Emit passes an event on. Text, refusal, reasoning and tool input without text are left out.
func (e *Emitter) Emit(ev elumenta.Event) error {
	if e.err != nil {
		return e.err
	}
	switch ev.Kind {
	case elumenta.EventPause:
		return e.Pause()
	case elumenta.EventText, elumenta.EventRefusal, elumenta.EventReasoning, elumenta.EventToolInput:
		if ev.Text == "" {
			return nil
		}
	}
	e.open = true
	e.size += len(ev.Text)
	if ev.Opaque != nil {
		e.size += len(ev.Opaque.Data)
	}
	e.err = e.emit(ev)
	return e.err
}

// Text passes a piece of text, refusal or reasoning on, or nothing if it is empty.
func (e *Emitter) Text(kind elumenta.EventKind, text string) error {
	return e.Emit(elumenta.Event{Kind: kind, Text: elumenta.Text(text)})
}

// Pause says that the next read may wait, if anything was emitted since the last pause.
func (e *Emitter) Pause() error {
	if e.err != nil || !e.open {
		return e.err
	}
	e.open = false
	e.err = e.emit(elumenta.Event{Kind: elumenta.EventPause})
	return e.err
}

// Size is how many bytes of text and state were emitted.
func (e *Emitter) Size() int { return e.size }

// Err is what the wrapped function returned, if that was an error. A format returns it unchanged.
func (e *Emitter) Err() error { return e.err }
