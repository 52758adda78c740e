# make help lists the targets.

GOLANGCI_LINT_VERSION := v2.15.0
TOOLS := $(CURDIR)/.cache/bin
SERVERS := go run ./deploy/testbed/with

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/allocation
	go build -o bin/allocation ./cmd/allocation

.PHONY: dev
dev: build ## run everything on an embedded default, data kept in .allocation
	bin/allocation dev

.PHONY: test
test: ## run all tests on real Kafka and real Postgres, which it starts and stops
	$(SERVERS) go test -race -timeout 20m ./...

.PHONY: lint
lint: $(TOOLS)/golangci-lint ## check style and the import rules
	$(TOOLS)/golangci-lint run ./...

.PHONY: verify
verify: lint test ## what CI runs: linters, then tests

$(TOOLS)/golangci-lint:
	GOBIN=$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)
