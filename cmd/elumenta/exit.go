package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/elumenta/elumenta"
	"github.com/elumenta/elumenta/assistantfile"
	"github.com/elumenta/elumenta/config"
)

// The exit codes, as --help lists them.
const (
	exitOK      = 0
	exitFailed  = 1
	exitUsage   = 2
	exitRefused = 3
	exitChanges = 4 // apply and import with --dry-run: there is something to change
)

// usageError is a mistake in the arguments that only the command could see.
type usageError struct{ message string }

func (e usageError) Error() string { return e.message }

// report prints an error, if there is one, and returns the exit code.
func (p *program) report(err error) int {
	if err == nil {
		return exitOK
	}
	if errors.Is(err, errChanges) {
		return exitChanges
	}
	if problems, ok := errors.AsType[config.Problems](err); ok {
		_, _ = fmt.Fprintln(p.stderr, forTerminal(problems.Error()))
		return exitUsage
	}
	_, _ = fmt.Fprintf(p.stderr, "elumenta: %s\n", forTerminal(err.Error()))
	if _, ok := errors.AsType[assistantfile.Problems](err); ok {
		return exitUsage
	}
	if _, ok := errors.AsType[usageError](err); ok {
		return exitUsage
	}
	if _, ok := errors.AsType[*refusal](err); ok {
		return exitRefused
	}
	if e, ok := errors.AsType[*apiError](err); ok {
		return e.exitCode()
	}
	if e, ok := errors.AsType[*elumenta.Error](err); ok {
		return codeExit(e.Code)
	}
	return exitFailed
}

// codeExit tells what a repetition cannot mend from what merely failed.
func codeExit(code elumenta.Code) int {
	switch code {
	case elumenta.CodeInternal, elumenta.CodeUnavailable, elumenta.CodeProvider, elumenta.CodeProviderTimeout, elumenta.CodeModelUnavailable,
		elumenta.CodeRateLimited, elumenta.CodeTooManyStreams, "":
		return exitFailed
	}
	return exitRefused
}

// fieldList reads the fields of a CodeValidation error, one a line.
func fieldList(e *elumenta.Error) string {
	fields, ok := e.Details["fields"].([]elumenta.FieldError)
	if !ok || len(fields) < 2 {
		return e.Message
	}
	var text strings.Builder
	text.WriteString("several fields are wrong:")
	for _, f := range fields {
		fmt.Fprintf(&text, "\n  %s %s", f.Field, f.Reason)
	}
	return text.String()
}
