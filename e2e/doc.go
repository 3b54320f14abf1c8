// Package e2e tests the built program from outside: the real binary, real databases, small servers that speak the
// providers' wire formats, and what happens when any of them is killed, silent or gone.
package e2e
