# Needs Go, and for the tests PostgreSQL's server programs or TEST_DATABASE_URL. Go
# fetches everything else itself.

VERSION       ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
GOLANGCI_LINT ?= go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
SOAK_TIMEOUT  ?= 2h

.DEFAULT_GOAL := help

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/paymosync and bin/fakepaymo
	CGO_ENABLED=0 go build -trimpath -ldflags '-s -w -X main.release=$(VERSION)' -o bin/ ./cmd/...

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

.PHONY: soak
soak: postgres ## run the long tests at full length (hours)
	PAYMOSYNC_SOAK=1 go test -count=1 -timeout $(SOAK_TIMEOUT) -v -run Soak ./...

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
