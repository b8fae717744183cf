# Needs Go, and for the tests PostgreSQL's server programs or TEST_DATABASE_URL. Go
# fetches everything else itself.

VERSION       ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
GOLANGCI_LINT ?= go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
GOVULNCHECK   ?= go run golang.org/x/vuln/cmd/govulncheck@v1.9.0
VULNDB        ?= https://vuln.go.dev
SOAK_TIMEOUT  ?= 2h
FUZZ_TIME     ?= 1m
PLATFORMS     ?= linux/amd64 linux/arm64 darwin/amd64 darwin/arm64

.DEFAULT_GOAL := help

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/paymosync and bin/fakepaymo
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.release=$(VERSION)' -o bin/ ./cmd/paymosync ./cmd/fakepaymo

.PHONY: test
test: postgres ## run the tests, set-up included
	go test -shuffle=on -timeout 30m ./...

.PHONY: race
race: postgres ## run the tests with the race detector
	go test -race -shuffle=on -timeout 30m ./...

.PHONY: lint
lint: ## check format, vet and lint
	@unformatted=$$(gofmt -l .); if [ -n "$$unformatted" ]; then echo "run gofmt -w on:" $$unformatted; exit 1; fi
	go vet ./...
	$(GOLANGCI_LINT) run

.PHONY: vuln
vuln: ## look for known vulnerabilities that the code reaches
	.ci/vuln '$(VULNDB)' $(GOVULNCHECK)

.PHONY: fuzz
fuzz: ## run each fuzz test for FUZZ_TIME
	@git grep -oE '^func Fuzz\w+' -- '*_test.go' | sed -E 's|/[^/]*:func | |' | while read -r package name; do \
		echo "$$package $$name"; \
		go test "./$$package" -run '^$$' -fuzz "^$$name\$$" -fuzztime '$(FUZZ_TIME)' >/tmp/fuzz.$$$$ 2>&1 </dev/null \
			|| { cat /tmp/fuzz.$$$$; exit 1; }; \
		tail -3 /tmp/fuzz.$$$$; rm /tmp/fuzz.$$$$; \
	done

.PHONY: soak
soak: postgres ## run the long tests at full length (hours)
	PAYMOSYNC_SOAK=1 go test -tags soak -count=1 -timeout $(SOAK_TIMEOUT) -v -run Soak ./...

.PHONY: chaos
chaos: postgres ## kill every part at random for ten minutes of work, then compare
	PAYMOSYNC_SOAK=1 go test -count=1 -timeout $(SOAK_TIMEOUT) -v -run '^TestSoakChaos$$' ./cmd/paymosync

.PHONY: bench
bench: ## measure against psql's \copy of the same rows, into docs/benchmarks.md
	@mkdir -p bin docs
	go build -ldflags '-X main.release=$(VERSION)' -o bin/bench ./cmd/bench
	bin/bench --write docs/benchmarks.md $(BENCH_FLAGS)

.PHONY: simulate
simulate: postgres ## write docs/requests.md anew: requests and freshness on a virtual clock
	go test -count=1 -timeout 2h -v -run '^TestSimulation$$' ./jobs -update

.PHONY: release
release: ## build dist/: static binaries for PLATFORMS, with their checksums
	.ci/release '$(VERSION)' $(PLATFORMS)

.PHONY: ci
ci: build lint race ## everything that has to pass before a change goes in

.PHONY: demo
demo: ## sync a made-up company into a PostgreSQL of its own, and keep at it
	go run ./cmd/paymosync demo

# The tests that need PostgreSQL skip themselves where there is none, which `go test`
# does not show. Say so.
.PHONY: postgres
postgres:
	@if go test -v -run '^TestDatabaseIsMigratedAndItsOwn$$' ./sink/sinktest | grep 'needs PostgreSQL'; then \
		echo 'The tests that need PostgreSQL will be skipped.'; fi
