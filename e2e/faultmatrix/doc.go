// Package faultmatrix holds the test that plays every fault of a provider, in every wire format and through every API, and
// writes docs/faults.md.
package faultmatrix
