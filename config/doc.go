// Package config reads what an operator sets: flags over environment over a TOML or YAML file over defaults. It knows the
// catalog of models and the providers that serve them, and names every mistake with its file and line.
package config
