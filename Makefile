# Targets are explained by `make help`, from the comments behind them.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.ONESHELL:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# No cgo anywhere but under the race detector.
export CGO_ENABLED := 0
export RECKON_ENGINE_DIR := $(abspath $(or $(RECKON_ENGINE_DIR),$(or $(XDG_CACHE_HOME),$(HOME)/.cache)/reckon/engine))

LINT := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
FUZZTIME ?= 1m
# Two packages at once: an embedded engine takes about 300 MB.
GOTEST := go test -shuffle=on -timeout 30m -p 2

# Where Apache Kafka's jars go, beside the engine.
KAFKA_DIR := $(abspath $(RECKON_ENGINE_DIR)/../kafka)

# Packages whose tests start no embedded engine.
WITHOUT_ENGINE = {{$$engine := false}}{{$$test := "github.com/reckon-billing/reckon/internal/embedded/embeddedtest"}}\
{{range .TestImports}}{{if eq . $$test}}{{$$engine = true}}{{end}}{{end}}\
{{range .XTestImports}}{{if eq . $$test}}{{$$engine = true}}{{end}}{{end}}\
{{if and (not $$engine) (or .TestGoFiles .XTestGoFiles)}}{{.ImportPath}}{{end}}

# $(call need,COMMAND THAT FAILS WITHOUT IT,DEBIAN PACKAGES) installs the
# packages when root, and else says what to run.
define need
if ! { $(1); } >/dev/null 2>&1; then
  if [ "$$(id -u)" != 0 ]; then
    echo 'make $@ needs $(2): run sudo apt-get install $(2)' >&2
    exit 1
  fi
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq -o DPkg::Lock::Timeout=300
  apt-get install -qq -y --no-install-recommends -o DPkg::Lock::Timeout=300 $(2) >/dev/null
fi
endef

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "%-16s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: check
check: ## all that needs no engine and no tests run: modules, format, vet, linter, house rules
	@set -x
	go mod tidy -diff
	$(LINT) fmt --diff
	go vet ./...
	$(LINT) run ./...
	go test ./internal/tidy

.PHONY: test
test: engine ## all tests, then those without the engine again under the race detector
	@$(call need,command -v kcat,kcat)
	$(call need,command -v curl,curl)
	$(call need,echo '#include <stdlib.h>' | gcc -fsyntax-only -x c -,gcc libc6-dev)
	packages=$$(go list -f '$(WITHOUT_ENGINE)' ./...)
	set -x
	$(GOTEST) ./...
	CGO_ENABLED=1 $(GOTEST) -race $$packages

.PHONY: engine
engine: ## fetch the embedded ClickHouse into $RECKON_ENGINE_DIR, unless it is there
	@$(call need,command -v npm,npm)
	mkdir -p "$$RECKON_ENGINE_DIR"
	exec 9>"$$RECKON_ENGINE_DIR/lock"
	flock 9 # held until the shell ends: a second make waits and finds the work done
	want=$$(cd engine && sha256sum package.json package-lock.json .npmrc)
	library=node_modules/@chdb/lib-linux-x64-gnu/libchdb.so
	if [ "$$(cat "$$RECKON_ENGINE_DIR/stamp" 2>/dev/null)" = "$$want" ] && [ -s "$$RECKON_ENGINE_DIR/$$library" ]; then
	  exit 0
	fi
	echo "fetching the embedded ClickHouse into $$RECKON_ENGINE_DIR"
	rm -f "$$RECKON_ENGINE_DIR/stamp"
	cp engine/package.json engine/package-lock.json engine/.npmrc "$$RECKON_ENGINE_DIR/"
	(cd "$$RECKON_ENGINE_DIR" && npm ci --no-audit --no-fund --no-progress --no-update-notifier && test -s "$$library")
	echo "$$want" >"$$RECKON_ENGINE_DIR/stamp"

.PHONY: kafka
kafka: ## fetch Apache Kafka for the tests, beside the engine, unless it is there
	@$(call need,command -v java && command -v mvn,default-jre-headless maven)
	mkdir -p "$(KAFKA_DIR)"
	exec 9>"$(KAFKA_DIR)/lock"
	flock 9 # held until the shell ends: a second make waits and finds the work done
	want=$$(sha256sum <internal/kafka/kafkatest/pom.xml)
	if [ "$$(cat "$(KAFKA_DIR)/stamp" 2>/dev/null)" = "$$want" ]; then
	  exit 0
	fi
	echo "fetching Apache Kafka into $(KAFKA_DIR)"
	rm -rf "$(KAFKA_DIR)/stamp" "$(KAFKA_DIR)/libs"
	mvn -q -B -ntp -f internal/kafka/kafkatest/pom.xml dependency:copy-dependencies \
	  -DincludeScope=runtime -DoutputDirectory="$(KAFKA_DIR)/libs"
	echo "$$want" >"$(KAFKA_DIR)/stamp"

.PHONY: test-kafka
test-kafka: engine kafka ## the tests of the log, end to end and of faults again, on Apache Kafka itself
	@export APACHE_KAFKA_LIBS="$(KAFKA_DIR)/libs"
	set -x
	$(GOTEST) -count=1 ./internal/kafka
	$(GOTEST) -count=1 -v -run 'Log|Topic|Offset|Store|Deleted|Group' ./internal/app
	$(GOTEST) -count=1 -v -tags apache ./internal/faults

.PHONY: faults
faults: engine kafka ## the long fault tests, with their figures: about half an hour
	@export FAULTS_LONG=1
	set -x
	go test -count=1 -v -timeout 2h ./internal/faults
	APACHE_KAFKA_LIBS="$(KAFKA_DIR)/libs" go test -count=1 -v -timeout 1h -tags apache -run OfThreeBrokers ./internal/faults

DRAWS ?= 50000
HISTORIES ?= 3000

# Packages whose laws draw from rapid and start no engine.
LAWFUL = {{$$law := false}}{{$$engine := false}}{{range .TestImports}}{{if eq . "pgregory.net/rapid"}}{{$$law = true}}{{end}}\
{{if eq . "github.com/reckon-billing/reckon/internal/embedded/embeddedtest"}}{{$$engine = true}}{{end}}{{end}}\
{{range .XTestImports}}{{if eq . "pgregory.net/rapid"}}{{$$law = true}}{{end}}\
{{if eq . "github.com/reckon-billing/reckon/internal/embedded/embeddedtest"}}{{$$engine = true}}{{end}}{{end}}\
{{if and $$law (not $$engine)}}{{.ImportPath}}{{end}}

.PHONY: laws
laws: engine ## every law drawn $DRAWS times (50000), and $HISTORIES (3000) random histories on the engines: two hours
	@packages=$$(go list -f '$(LAWFUL)' ./aggregate/... ./invoicer/... ./schemas/... ./internal/audit ./internal/oracle/...)
	set -x
	go test -timeout 0 -run 'Test' $$packages -rapid.checks=$(DRAWS)
	go test -count=1 -v -timeout 0 -run TestHistoriesOnTheEngines ./internal/app -rapid.checks=$(HISTORIES)

.PHONY: build
build: ## make bin/reckon
	@vcs=false; if git status --porcelain >/dev/null 2>&1; then vcs=true; fi # what --version says
	go build -trimpath -buildvcs=$$vcs -o bin/reckon ./cmd/reckon

.PHONY: demo
demo: engine build ## a month of sample events on the embedded stack, to an invoice on the screen
	@bin/reckon demo

.PHONY: bench
bench: engine build ## measure against the rivals, at most 40 minutes; writes BENCHMARKS.md and bench.json
	@go run ./internal/bench

.PHONY: bench-short
bench-short: engine build ## the same at a tenth of the sizes, at most 10 minutes
	@go run ./internal/bench -short

.PHONY: fmt
fmt: ## format the code
	$(LINT) fmt

.PHONY: golden
golden: engine ## write the golden files anew; then read the diff
	UPDATE=1 $(GOTEST) ./...

.PHONY: fuzz
fuzz: ## one minute ($FUZZTIME) of each fuzz target
	@grep -rEo --include='*_test.go' '^func Fuzz[A-Za-z0-9_]+' . | sed 's/:func / /' | while read -r file name; do
	  echo "$$name in $$(dirname "$$file")"
	  go test -run '^$$' -fuzz "^$$name\$$" -fuzzminimizetime 20x -fuzztime $(FUZZTIME) "$$(dirname "$$file")" </dev/null
	done

.PHONY: migrations-sum
migrations-sum: ## add new migrations to their checksum file; refuses when a landed one was changed
	@cd schemas/migrations
	if [ -s checksums.txt ]; then sha256sum --check --strict --quiet checksums.txt; fi
	LC_ALL=C sha256sum [0-9]*.sql >checksums.new
	mv checksums.new checksums.txt
