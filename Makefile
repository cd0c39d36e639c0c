# Leme: a cluster for Docker hosts. `make help` lists the targets.

export CGO_ENABLED := 0

# Flags for `leme up` and `leme down`, such as --listen or --node-name.
UP_FLAGS   ?=
DOWN_FLAGS ?=

VERSION := $(shell (git describe --tags --match 'v[0-9]*' 2>/dev/null || echo v0.1.0) | sed s/^v//)
COMMIT  := $(shell git rev-parse HEAD 2>/dev/null)
LDFLAGS := -s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)
LEME    := bin/leme
TOOLS   := .cache/tools
LINT    := $(TOOLS)/golangci-lint
LINT_VERSION := v2.15.0

.DEFAULT_GOAL := help

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## build bin/leme
	@[ -x $(LEME) ] || echo 'Building $(LEME); the first time takes some minutes ...'
	@go build -trimpath -ldflags '$(LDFLAGS)' -o $(LEME) .

.PHONY: engine
engine: ## find a Docker Engine, or install and start one
	@./nodeagent/docker/engine.sh

.PHONY: up
up: engine build ## start a cluster with a sample program on it, and open the shell
	@UP_FLAGS='$(UP_FLAGS)' ./docs/examples/up.sh

.PHONY: down
down: ## stop the cluster and remove its containers and networks (PURGE=1: its data too)
	@if [ -x $(LEME) ] || $(MAKE) --no-print-directory build; then $(LEME) down $(if $(PURGE),--purge) $(DOWN_FLAGS); fi

.PHONY: test
test: engine build ## run every test, with real etcd, Docker Engine, kubectl and terminals
	@./test/packages.sh
	@go test -timeout 25m ./...
	@LEME_TEST_POD_NETWORK=bridge go test -timeout 25m ./nodeagent ./nodeagent/docker ./nodeagent/nodeapi

.PHONY: lint
lint: $(LINT) ## gofmt, go vet and golangci-lint
	@test -z "$$(gofmt -l $$(git ls-files '*.go'))" || { echo 'Not gofmt-ed:'; gofmt -l $$(git ls-files '*.go'); exit 1; }
	@$(LINT) run

$(LINT): Makefile
	@GOBIN=$(CURDIR)/$(TOOLS) go install github.com/golangci/golangci-lint/v2/cmd/golangci-lint@$(LINT_VERSION)

.PHONY: generate
generate: ## write the generated files anew
	@go generate ./...

.PHONY: verify
verify: lint generate ## lint, then fail when a generated file or go.mod is stale
	@go mod tidy
	@git diff --exit-code --stat

.PHONY: bench
bench: engine ## measure against Docker, kubectl and kube-apiserver, side by side in one run (docs/performance.md)
	@go run ./test/budget
