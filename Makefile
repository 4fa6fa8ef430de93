# The commands of this project; what they do stands in scripts/. `make help` lists them.
SHELL := /bin/bash
.NOTPARALLEL:
.DEFAULT_GOAL := help

.PHONY: help
help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run demo dev build
run: ## Install what is missing, build, and serve at http://127.0.0.1:8080
	@scripts/run.sh
demo: ## Serve a sample company whose clients write and answer; nothing is needed for it
	@scripts/demo.sh
dev: ## Serve with reload on change, beside a simulated Telegram
	@scripts/dev.sh
build: ## Build the release binary: one file, target/release/uzel
	@scripts/build.sh

.PHONY: test test-format test-deps test-web test-clippy test-rust test-generated test-browser
test: ## Run every check there is
	@scripts/test.sh
test-format: ## Formatting of Rust and shell
	@scripts/test.sh format
test-deps: ## Banned crates, licences, sources
	@scripts/test.sh deps
test-web: ## Types, lints and unit tests of the interface
	@scripts/test.sh web
test-clippy: ## Clippy, warnings are errors
	@scripts/test.sh clippy
test-rust: ## Rust tests on SQLite and on PostgreSQL + Redis
	@scripts/test.sh rust
test-generated: ## Generated files are fresh
	@scripts/test.sh generated
test-browser: ## Journeys in a real browser
	@scripts/test.sh browser

.PHONY: fmt lint regen
fmt: ## Format everything
	@scripts/fmt.sh
lint: test-format test-clippy ## Formatting and Clippy
regen: ## Write the generated files again
	@scripts/regen.sh

.PHONY: fault bench bench-web screenshots deny audit
fault: ## The long crash test: kill -9 under load, many times
	@scripts/fault.sh
bench: ## Measure the release binary against its limits
	@scripts/bench.sh
bench-web: ## Measure the interface in a real browser against its budgets
	@scripts/bench-web.sh
screenshots: ## Take pictures of every screen; README and guide show some of them
	@scripts/screenshots.sh
deny: ## cargo-deny: bans, licences, sources
	@scripts/deny.sh
audit: ## Known advisories of crates and npm packages (needs the network)
	@scripts/audit.sh
