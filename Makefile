# make help lists the targets.

GOLANGCI_LINT_VERSION := v2.15.0
GOVULNCHECK_VERSION := v1.9.0
AXE_VERSION := 4.14.1
AXE_SHA256 := 29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c
TOOLS := $(CURDIR)/.cache/bin

# One Kafka and one Postgres serve everything that a target runs.
SERVERS := go run ./cmd/withservers

# How long each target of `make soak` lasts.
FUZZ_TIME := 10m
BACKLOG_COMMANDS := 2000000
E2E_COMMANDS := 30000
E2E_KILLS := 24
OUTAGE_SECONDS := 30
MODEL_COMMANDS := 20000
WHY_LINES := 10000000
EXPORT_EVENTS := 100000
PAST_ORDERS := 10000000

# The story of three services: its seeds (without, five new ones), how many customers come, how many faults there are, how many commands come in a
# second; how long each service is stopped in `make soak-stops`, and how many times as long what needs it not may take (p99) while it is stopped
# and while it catches up; and a click to its reservation, as one hop.
STORY_SEEDS ?=
STORY_SHOPPERS ?= 20000
STORY_FAULTS ?= 40
STORY_RATE ?= 800
STORY_STOP ?= 10m
STORY_STOPPED_RATIO ?= 1.5
STORY_CATCHUP_RATIO ?= 3
STORY_CLICK_RATIO ?= 3
STORY = STORY_SHOPPERS=$(STORY_SHOPPERS) STORY_FAULTS=$(STORY_FAULTS) STORY_RATE=$(STORY_RATE) go test -v -count=1 -timeout 6h ./deploy/story/e2e

# `make compare`: rounds, of which it shows medians; the most commands of a backlog (without, each contestant has its own number); which contestants
# (without, all); how long each rate is held; and another build of bin/allocation to take turns with.
COMPARE_ROUNDS := 4
COMPARE_COMMANDS :=
COMPARE_ONLY :=
COMPARE_SECONDS := 15
COMPARE_BEFORE :=

# A campaign of `make chaos`: without a seed, a new one; without commands, 1500 for each second; the mix is name=weight,... (a wrong name lists all).
CHAOS_DURATION ?= 20m
CHAOS_COMMANDS ?=
CHAOS_SEED ?=
CHAOS_MIX ?=
CHAOS_EVERY ?= 6s
CHAOS_SESSION_TIMEOUT ?= 6s

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-16s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/allocation, bin/orders and bin/warehouse
	go build -o bin/ ./cmd/allocation ./cmd/orders ./cmd/warehouse

.PHONY: dev
dev: build ## run everything on an embedded default, data kept in .allocation
	@bin/allocation dev

.PHONY: demo
demo: build ## run orders, stock and a warehouse, with customers that never stop, data kept in .allocation
	@bin/allocation dev --demo

# go test starts packages in the order in which they are named. Those that take longest come first:
# one that began last would run alone at the end.
LONGEST_FIRST := ./cmd/allocation/e2e ./deploy/story/e2e ./worker ./cmd/internal/service ./cmd/chaos ./store/... ./cmd/... ./...

# What tests need beside Go, Java and Postgres.
TEST_TOOLS := $(TOOLS)/promtool $(TOOLS)/chromium $(TOOLS)/axe.min.js

.PHONY: test
test: $(TEST_TOOLS) ## run the tests on real Kafka and real Postgres, which it starts and stops, but those that take long
	$(SERVERS) go test -short -count=1 -timeout 20m -p 4 -parallel 4 $(LONGEST_FIRST)

.PHONY: test-all
test-all: $(TEST_TOOLS) $(TOOLS)/schemathesis ## run all tests, with the race detector
	$(SERVERS) go test -race -count=1 -timeout 30m -p 3 $(LONGEST_FIRST)

.PHONY: lint
lint: $(TOOLS)/golangci-lint ## check style, which package may import which, and that each mutant still fits
	$(TOOLS)/golangci-lint run ./...
	$(TOOLS)/golangci-lint run --build-tags containers ./deploy/testbed
	cd cmd/compare && go vet ./... && $(TOOLS)/golangci-lint run ./...
	deploy/mutants/check

.PHONY: vulnerabilities
vulnerabilities: $(TOOLS)/govulncheck ## look for known vulnerabilities; GOVULNDB names another list than Go's
	.ci/vulnerabilities $(TOOLS)/govulncheck

.PHONY: verify
verify: lint vulnerabilities test-all bench-short ## what CI runs: linters, known vulnerabilities, all tests, then benchmarks for a moment each

.PHONY: stats
stats: ## count the code: lines, files and functions of each package, and what it imports
	@go run ./cmd/stats

.PHONY: bench
bench: ## measure: throughput from a backlog, one command at a time, and the parts
	$(SERVERS) go test -run '^$$' -bench . -benchtime 3x ./cmd/allocation/e2e
	go test -run '^$$' -bench . ./domain/product ./outbox ./worker/...

.PHONY: compare
compare: build ## put the worker beside a floor without features and Watermill; COMPARE_ROUNDS, COMPARE_COMMANDS, COMPARE_ONLY, COMPARE_SECONDS, COMPARE_BEFORE
	cd cmd/compare && go test ./... && go build -o $(CURDIR)/bin/compare/ . ./floor ./watermill
	COMPARE_ROUNDS=$(COMPARE_ROUNDS) COMPARE_COMMANDS=$(COMPARE_COMMANDS) COMPARE_ONLY=$(COMPARE_ONLY) COMPARE_SECONDS=$(COMPARE_SECONDS) \
		COMPARE_BEFORE="$(COMPARE_BEFORE)" $(SERVERS) bin/compare/compare

.PHONY: bench-short
bench-short: ## run each benchmark for a moment, and print what it shows
	BENCH_COMMANDS=50000 $(SERVERS) go test -run '^$$' -bench . -benchtime 1x ./cmd/allocation/e2e
	go test -run '^$$' -bench . -benchtime 100ms ./domain/product ./outbox ./worker/...

.PHONY: soak
soak: soak-kills soak-outage soak-backlog soak-model soak-why soak-story soak-stops soak-past fuzz mutants ## everything that takes long

.PHONY: soak-kills
soak-kills: ## random SIGKILLs of three workers under E2E_COMMANDS commands; E2E_SEED repeats a run
	E2E_COMMANDS=$(E2E_COMMANDS) E2E_KILLS=$(E2E_KILLS) $(SERVERS) go test -v -count=1 -timeout 30m -run randomKills ./cmd/allocation/e2e

.PHONY: soak-outage
soak-outage: ## Postgres and Kafka away for OUTAGE_SECONDS under load
	OUTAGE_SECONDS=$(OUTAGE_SECONDS) $(SERVERS) go test -v -count=1 -timeout 30m -run waitsOut ./worker

.PHONY: soak-backlog
soak-backlog: ## drain BACKLOG_COMMANDS commands, and show the memory that it takes
	BACKLOG_COMMANDS=$(BACKLOG_COMMANDS) $(SERVERS) go test -v -count=1 -timeout 30m -run drainsABacklog ./cmd/allocation/e2e

.PHONY: soak-model
soak-model: ## MODEL_COMMANDS random commands through two workers, against the checker's model; E2E_SEED repeats a run
	MODEL_COMMANDS=$(MODEL_COMMANDS) $(SERVERS) go test -v -count=1 -timeout 30m -run doesWhatTheModelDoes ./cmd/allocation/e2e

.PHONY: soak-why
soak-why: ## how long people wait for answers and pages beside WHY_LINES lines and five times as many events, and for a file of EXPORT_EVENTS
	BENCH_LINES=$(WHY_LINES) $(SERVERS) go test -run '^$$' -bench Why -benchtime 1000x -timeout 3h ./cmd/allocation/console
	EXPORT_EVENTS=$(EXPORT_EVENTS) $(SERVERS) go test -v -count=1 -timeout 30m -run ofManyEvents ./cmd/allocation/export

.PHONY: soak-story
soak-story: ## STORY_SHOPPERS customers of orders, stock and the warehouse, and STORY_FAULTS faults between, for each of STORY_SEEDS
	for seed in $(or $(STORY_SEEDS),$(STORY_SEED),$$(shuf -i 1-999999999 -n 5)); do STORY_SEED=$$seed $(STORY) -run TestStory || exit 1; done

.PHONY: soak-stops
soak-stops: ## each of the three services stopped for STORY_STOP at 1,000 orders a minute; what needs it not goes on, at most STORY_…_RATIO times as slowly
	STORY_STOP=$(STORY_STOP) STORY_STOPPED_RATIO=$(STORY_STOPPED_RATIO) STORY_CATCHUP_RATIO=$(STORY_CATCHUP_RATIO) \
		STORY_CLICK_RATIO=$(STORY_CLICK_RATIO) $(STORY) -run TestStops

.PHONY: soak-past
soak-past: ## what customers do and read beside PAST_ORDERS orders that have left
	PAST_ORDERS=$(PAST_ORDERS) $(SERVERS) go test -v -count=1 -timeout 1h -run TestPast ./store/orders

.PHONY: fuzz
fuzz: ## fuzz each decoder for FUZZ_TIME
	go test -run '^$$' -fuzz FuzzParse -fuzztime $(FUZZ_TIME) ./domain/strictjson
	go test -run '^$$' -fuzz FuzzPlain -fuzztime $(FUZZ_TIME) ./domain/strictjson
	go test -run '^$$' -fuzz FuzzDecodeCommand -fuzztime $(FUZZ_TIME) ./domain/product
	go test -run '^$$' -fuzz FuzzRead -fuzztime $(FUZZ_TIME) ./domain/incident
	go test -run '^$$' -fuzz FuzzRead -fuzztime $(FUZZ_TIME) ./worker/cloudevents
	go test -run '^$$' -fuzz FuzzDecodeHeaders -fuzztime $(FUZZ_TIME) ./outbox

.PHONY: mutants
mutants: ## break one promise at a time, and name the test that notices
	$(SERVERS) deploy/mutants/run

.PHONY: chaos
chaos: ## make faults at random in three brokers, a Postgres pair and workers for CHAOS_DURATION, and check every effect; CHAOS_SEED repeats a run
	CHAOS_DURATION=$(CHAOS_DURATION) CHAOS_COMMANDS=$(CHAOS_COMMANDS) CHAOS_SEED=$(CHAOS_SEED) CHAOS_MIX=$(CHAOS_MIX) CHAOS_EVERY=$(CHAOS_EVERY) \
		CHAOS_SESSION_TIMEOUT=$(CHAOS_SESSION_TIMEOUT) go run ./cmd/chaos

.PHONY: test-containers
test-containers: ## run the testbed on containers, and deploy/compose.yaml; needs a Docker engine with compose
	deploy/testbed/containers/prove.sh

.PHONY: test-image
test-image: ## run the image in podman, and build the Dockerfile there; needs root, podman and runc
	$(SERVERS) go test -count=1 -timeout 20m -tags containers -run Podman ./deploy/docker

$(TOOLS)/golangci-lint:
	GOBIN=$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(GOLANGCI_LINT_VERSION)

# Prometheus' checker of rules: this machine's, or out of Debian's package, whose list may be fetched
# first, into a folder of its own.
APT_HERE := apt-get -q -o Dir::State::lists="$$PWD/lists" -o Dir::Cache="$$PWD/cache"
$(TOOLS)/promtool:
	mkdir -p $(TOOLS)
	if command -v promtool >/dev/null; then ln -sf "$$(command -v promtool)" $@; else \
		package=$$(mktemp -d) && cd $$package && mkdir -p lists/partial cache/archives/partial && \
		{ apt-get download -q prometheus || { $(APT_HERE) update && $(APT_HERE) download prometheus; }; } && \
		dpkg-deb --fsys-tarfile prometheus_*.deb | tar xO ./usr/bin/promtool >$@.part && chmod +x $@.part && mv $@.part $@ && rm -r "$$package"; fi

# Chromium and axe-core, with which the console's pages are tested: see .ci/chromium.
$(TOOLS)/chromium:
	mkdir -p $(TOOLS)
	.ci/chromium $@

$(TOOLS)/axe.min.js:
	mkdir -p $(TOOLS)
	@command -v npm >/dev/null || { echo "npm is missing, which fetches axe-core: install Node.js" >&2; exit 1; }
	package=$$(mktemp -d) && cd $$package && npm pack --silent axe-core@$(AXE_VERSION) >/dev/null && tar xzf axe-core-*.tgz package/axe.min.js && \
		echo "$(AXE_SHA256)  package/axe.min.js" | sha256sum --check --quiet && mv package/axe.min.js $@ && rm -r "$$package"

# Schemathesis, which asks an API what its contract allows and what it does not.
$(TOOLS)/schemathesis: .ci/schemathesis.txt
	mkdir -p $(TOOLS)
	@command -v python3 >/dev/null || { echo "python3 is missing, which runs schemathesis: install it, and its venv" >&2; exit 1; }
	python3 -m venv --clear $@.d && $@.d/bin/pip install -q --require-virtualenv -r .ci/schemathesis.txt && ln -sf schemathesis.d/bin/schemathesis $@ && touch -h $@

$(TOOLS)/govulncheck:
	GOBIN=$(TOOLS) go install golang.org/x/vuln/cmd/govulncheck@$(GOVULNCHECK_VERSION)
