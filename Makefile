# `make` alone prints this file's targets. Needs python3 (3.11 or newer) with venv; node only for GraphiQL.

PYTHON ?= python3
BIN := .venv/bin
SERVER := $(BIN)/python -m server
PYTEST := $(BIN)/python -m pytest -n 2 --dist worksteal
UV := uv==0.13.9
AUDITOR := .kontor-audit
FUZZER := .kontor-fuzzer

.DEFAULT_GOAL := help
.PHONY: help setup demo demo-real demo-reset up down migrate worker import test test-uncompiled check audit format lock schema \
	frontend audits audits-http audits-live audits-fuzz audits-slow audits-load browser bench faults clean

help:
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-16s %s\n", $$1, $$2 }' Makefile

setup: .venv/installed ## Install everything into .venv, as requirements.lock says

# Anew only when the lock changes. The stamp is written last: an interrupted installation is done again.
.venv/installed: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Kontor needs Python 3.11 or newer")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip --disable-pip-version-check --no-input install --require-hashes -r requirements.lock
	@touch $@

# A demo without GraphiQL is better than none: then the server shows how to build it.
define graphiql
	@$(MAKE) --no-print-directory frontend || echo "GraphiQL was not built, see above; going on without it."
endef

demo: setup ## Start the server with demo data, on its own PostgreSQL
	$(graphiql)
	$(SERVER) demo $(ARGS)

demo-real: setup ## The same with real trade data
	$(graphiql)
	$(SERVER) demo --real $(ARGS)

demo-reset: setup ## Throw the demo's data away
	$(SERVER) demo-reset $(ARGS)

up: setup ## Start the embedded PostgreSQL
	$(SERVER) up

down: setup ## Stop the embedded PostgreSQL
	$(SERVER) down

migrate: setup ## Bring the database to the newest migration
	$(SERVER) migrate

worker: setup ## Do jobs (webhooks, mails) in a process of its own; the server then needs KONTOR_WORKER=false
	$(SERVER) worker

import: setup ## Import FOLDER=<exchange folder or zip> into PORTAL=<slug>
	@test -n "$(FOLDER)" && test -n "$(PORTAL)" || { echo "make import FOLDER=... PORTAL=..."; exit 2; }
	$(SERVER) import "$(FOLDER)" --portal "$(PORTAL)" $(ARGS)

test: setup ## Run the tests; more for pytest in ARGS="..."
	$(PYTEST) $(ARGS)

test-uncompiled: setup ## The same while graphql-core runs the operations, which has to change no answer
	KONTOR_COMPILED=false $(PYTEST) $(ARGS)

check: setup audit ## Lint, types, layers, whether schema.graphql and the migrations are up to date, and what `audit` asks
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(SERVER) schema --check
	$(SERVER) migrations-check

# In an environment of its own, since its packages are none of ours; where it cannot be had, nothing is audited.
audit: setup ## Ask the registries, where they tell, for known vulnerabilities of what the locks name
	@test -x $(AUDITOR)/bin/pip-audit || { $(PYTHON) -m venv $(AUDITOR) \
		&& $(AUDITOR)/bin/python -m pip --disable-pip-version-check --no-input install --quiet --retries 1 --timeout 10 \
		pip-audit==2.10.1; } || true
	@$(BIN)/python -m tests.audits.dependencies $(AUDITOR)/bin/pip-audit

format: setup ## Format the code and mend what can be mended
	$(BIN)/ruff check --fix-only --quiet
	$(BIN)/ruff format

lock: setup ## Write requirements.lock anew from pyproject.toml, and what schemathesis takes
	$(BIN)/python -m pip --disable-pip-version-check install --quiet $(UV)
	$(BIN)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
		--quiet --output-file requirements.lock
	$(BIN)/uv pip compile tests/audits/requirements.in --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
		--quiet --output-file tests/audits/requirements.txt

schema: setup ## Write schema.graphql
	$(SERVER) schema

GRAPHIQL := frontend/graphiql
GRAPHIQL_SOURCES := $(wildcard $(addprefix $(GRAPHIQL)/,*.json *.html *.ts .npmrc)) \
	$(shell find $(GRAPHIQL)/src $(GRAPHIQL)/documents $(GRAPHIQL)/samples $(GRAPHIQL)/public -type f 2>/dev/null | sed 's/ /\\ /g')

frontend: ## Build GraphiQL, if node is there
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(GRAPHIQL)/dist/built; \
	else echo "GraphiQL is not built: there is no npm here (node 20.19 or newer brings it)."; fi

$(GRAPHIQL)/dist/built: $(GRAPHIQL_SOURCES)
	cd $(GRAPHIQL) && npm ci --no-progress && npm run build
	@touch $@

audits-http: setup ## Ask npm graphql-http's audits whether our HTTP is GraphQL over HTTP; needs node
	cd tests/audits && npm ci --no-progress && npm test

audits-live: setup ## Let npm's graphql-ws, graphql-sse and urql watch orders; needs node
	cd tests/audits && npm ci --no-progress && npm run live

# In an environment of its own, since its packages are none of ours.
$(FUZZER)/installed: tests/audits/requirements.txt
	$(PYTHON) -m venv $(FUZZER)
	$(FUZZER)/bin/python -m pip --disable-pip-version-check --no-input install --quiet --require-hashes -r $<
	@touch $@

audits-fuzz: setup $(FUZZER)/installed ## Let PyPI's schemathesis ask anything as nobody, a buyer and an owner; ARGS="--seed 2"
	$(BIN)/python -m tests.audits.fuzz $(FUZZER)/bin/schemathesis $(ARGS)

audits-slow: setup frontend ## Let slowhttptest hold on to connections beside an honest client; needs it, Linux
	$(BIN)/python -m tests.audits.slow

audits-load: setup ## Let wrk post a query, signed in, over more and more connections; needs it, Linux
	$(BIN)/python -m tests.audits.load

audits: audits-http audits-live audits-fuzz audits-slow audits-load ## All five judges from outside (docs/audits.md)

browser: setup frontend ## Walk through GraphiQL in headless Chromium; needs node and chromium
	$(BIN)/python -m pytest tests/e2e/browser.py

bench: setup ## Measure against PostGraphile and a floor, and as data grows, into docs/performance.md; needs node, Linux, two cores
	@$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["bench"])' \
		| xargs $(BIN)/python -m pip --disable-pip-version-check install --quiet
	$(BIN)/python -m bench.peers $(if $(FOLDER),"$(FOLDER)") $(ARGS)
	$(BIN)/python -m bench.growth

faults: setup ## Let disks fill, processes die, networks fall silent, into docs/safety-faults.md; NUMBERS="37 38" chooses; Linux
	@$(BIN)/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["project"]["optional-dependencies"]["faults"])' \
		| xargs $(BIN)/python -m pip --disable-pip-version-check install --quiet
	$(BIN)/python -m bench.faults $(NUMBERS) $(ARGS)

clean: ## Remove what can be made again: .venv, caches, GraphiQL's build, the tests' database; no data
	@if [ -d .kontor-test ] && [ -x $(BIN)/python ]; then $(BIN)/python -c \
		'from pathlib import Path; from db.embedded import Cluster; Cluster(Path(".kontor-test")).destroy()'; fi
	rm -rf .venv .kontor-test .kontor-fuzz $(AUDITOR) $(FUZZER) .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	rm -rf $(GRAPHIQL)/dist $(GRAPHIQL)/node_modules tests/audits/node_modules bench/peers/node_modules
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
