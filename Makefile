# poc-server. `make help` lists what there is.
SHELL := /bin/bash
VENV  ?= .venv
PY    := $(VENV)/bin/python
DATA  ?= data
PORT  ?= 8080

.PHONY: help setup setup-test pages run test check e2e bench clean
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

setup: $(VENV)/.installed pages ## the virtual environment, libraries and pages

$(VENV)/.installed: pyproject.toml constraints.txt tools/system_packages.sh
	@bash tools/system_packages.sh run
	@test -x $(PY) || python3 -m venv $(VENV)
	$(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

web/node_modules/.installed: web/package.json web/package-lock.json
	cd web && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

PAGE_SOURCES := $(shell find web -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -not -path '*/generated/*' 2>/dev/null)
web/dist/.built: $(VENV)/.installed web/node_modules/.installed $(PAGE_SOURCES) $(shell find signaling groups/vocabulary.py -name '*.py')
	cd web && PYTHON=$(abspath $(PY)) npm run --silent build
	@touch $@

pages: web/dist/.built ## build the web pages

run: setup ## the demo city on http://localhost:8080 (LAN=1: HTTPS for phones on the local network)
	@exec $(PY) -m poc_server.cli demo --data $(DATA) --port $(PORT) $(if $(LAN),--lan)

setup-test: setup
	@bash tools/system_packages.sh test

check: setup ## format, lint, types, import contracts and the pure tests
	@bash tools/check.sh

test: setup-test ## everything: check, then real sockets and databases, then real browsers
	@bash tools/test.sh

e2e: setup-test ## two browsers and an independent WebRTC client, measured: build/e2e.json
	$(PY) -m pytest -q tests/browser -m browser

clean: ## remove what was built
	rm -rf build web/dist web/src/generated .mypy_cache .ruff_cache .pytest_cache .hypothesis
