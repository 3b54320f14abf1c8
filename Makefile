# `make` alone lists the targets: each describes itself behind ##.
.DEFAULT_GOAL := help
SHELL := /bin/bash

VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
FUZZTIME ?= 10m
PKG ?= ./...
ARGS ?=
BENCH ?=
TORTURE ?=

.PHONY: run
run: build ## Build and serve on http://127.0.0.1:8080 (ARGS="--addr :9000")
	bin/elumenta serve $(ARGS)

.PHONY: build
build: ## Build bin/elumenta, one static binary
	CGO_ENABLED=0 go build -trimpath -ldflags '$(LDFLAGS)' -o bin/elumenta ./cmd/elumenta

.PHONY: man
man: build ## Write the manual page and the shells' completions to bin/man and bin/completion
	mkdir -p bin/man bin/completion
	bin/elumenta man > bin/man/elumenta.1
	gzip -9nkf bin/man/elumenta.1
	for shell in bash zsh fish; do bin/elumenta completion $$shell > bin/completion/elumenta.$$shell || exit; done

.PHONY: release-check
release-check: ## Build a whole release twice, in different folders, and compare the bytes (takes some minutes)
	scripts/release-check

.PHONY: vulncheck
vulncheck: ## Look for known vulnerabilities in what the program calls (needs vuln.go.dev)
	scripts/vulncheck ./...

.PHONY: test
test: ## Run every test with the race detector, installing what they need on Debian and Ubuntu (PKG=./store/...)
	scripts/test-deps
	scripts/test $(PKG)

.PHONY: lint
lint: ## Check format, vet, compiled templates and golangci-lint (built once into the cache, in the version that scripts/golangci-lint pins)
	scripts/check-generated
	scripts/golangci-lint run ./...
	cd client && ../scripts/golangci-lint run ./...

.PHONY: generate
generate: ## Compile the console's templates (*.templ)
	go tool templ generate -path console

.PHONY: clients
clients: ## Generate the clients in client/ and clients/ from the OpenAPI document
	scripts/generate-clients

.PHONY: screenshots
screenshots: build ## Take the pictures of README.md again, in Chromium
	go run ./internal/screenshots --elumenta bin/elumenta --out docs/images

.PHONY: bench
bench: build ## Compare with a bare reverse proxy (BENCH="--scale 100000" or "--streams 5000": see docs/benchmarks.md)
	CGO_ENABLED=0 go build -o bin/bench ./internal/bench
	bin/bench --elumenta bin/elumenta $(BENCH)

.PHONY: torture
torture: ## Kill, cut off and overload the program and check every charge (TORTURE="-duration 10m" or "-mutants"; "-help" explains)
	CGO_ENABLED=0 go build -o bin/torture ./internal/torture
	bin/torture $(TORTURE)

.PHONY: fuzz
fuzz: ## Fuzz every target for FUZZTIME each (default 10m)
	scripts/fuzz $(FUZZTIME) $(PKG)

.PHONY: help
help: ## List the targets
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/\1|\2/p' $(MAKEFILE_LIST) | while IFS='|' read -r name text; do printf '  %-13s %s\n' "$$name" "$$text"; done
