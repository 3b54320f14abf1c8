// Package fantasy has the test of charmbracelet's fantasy against the server. It is a module of its own, so that nothing else depends on what
// fantasy needs; e2e runs it against the program.
package fantasy
