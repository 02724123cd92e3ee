# poc-server. `make help` lists what there is.
SHELL  := /bin/bash
PYTHON ?= python3
VENV   ?= .venv
PY     := $(VENV)/bin/python
DATA   ?= data
PORT   ?= 8080
export VENV PYTHON
# Images of containers like to set it: each of the hundred servers of the tests would compile all its sources anew.
unexport PYTHONDONTWRITEBYTECODE

PAGE_SOURCES = $(shell find web -type f -not -path '*/node_modules/*' -not -path '*/dist/*' -not -path '*/generated/*' 2>/dev/null)
WIRE_SOURCES = $(shell find signaling groups/vocabulary.py -name '*.py' 2>/dev/null)

.PHONY: bundle chaos day help setup setup-dev setup-test pages run check test e2e docs clean distclean
.DEFAULT_GOAL := help

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

run: setup ## the demo city on http://localhost:8080 (PORT=…; LAN=1: HTTPS for phones on the local network)
	@exec $(PY) -m tools.foreground $(PY) -m poc_server.cli demo --data $(DATA) --port $(PORT) $(if $(LAN),--lan)

check: setup-dev ## format, lint, types, import contracts and the pure tests: under a minute
	@bash tools/check.sh

test: setup-test ## everything: check, then real sockets and databases, then real browsers
	@bash tools/test.sh

e2e: setup-test ## browsers and an independent WebRTC client, measured: build/e2e.json; fails when a bar does not hold
	@$(PY) -m pytest -q tests/browser -m browser
	@$(PY) -m tools.e2e_bars build

# The libraries of both languages are fetched side by side, once both languages are there.
setup: ## what running needs: virtual environment, libraries, pages
	@bash tools/system_packages.sh run
	@$(MAKE) --no-print-directory --jobs=2 $(VENV)/.installed pages

setup-dev: ## … and what `make check` needs
	@bash tools/system_packages.sh run
	@$(MAKE) --no-print-directory --jobs=2 $(VENV)/.installed-dev pages

setup-test: setup-dev ## … and what `make test` needs: Chromium, Redis, PostgreSQL, coturn, Caddy (Debian's packages)
	@bash tools/system_packages.sh test

pages: web/dist/.built ## build the web pages

# The stamps lie inside the folders they speak for, so that removing the folder is enough to start anew.
$(VENV)/.installed: pyproject.toml constraints.txt tools/system_packages.sh poc_server/media/_native.c poc_server/media/_sealing.h
	@bash tools/system_packages.sh run
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@echo "Installing Python libraries into $(VENV)"
	@$(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

# By its name: what is installed already is not built once more.
$(VENV)/.installed-dev: $(VENV)/.installed
	@echo "Installing development tools into $(VENV)"
	@$(PY) -m pip install --quiet --disable-pip-version-check -c constraints.txt 'poc-server[dev]'
	@touch $@

web/node_modules/.installed: web/package.json web/package-lock.json
	@echo "Installing page libraries into web/node_modules"
	@cd web && npm ci --no-audit --no-fund --loglevel=error
	@touch $@

web/dist/.built: $(VENV)/.installed web/node_modules/.installed $(PAGE_SOURCES) $(WIRE_SOURCES)
	@echo "Building the pages"
	@cd web && PYTHON=$(abspath $(PY)) npm run --silent build
	@touch $@

day: setup-test ## one day of a dispatched case in real browsers, told as a page: build/day.html
	$(PY) -m tools.day

chaos: setup ## two nodes and their phones while nodes and Redis fail, and a checker that read it all (SEED=…, SHORT=1)
	@bash tools/system_packages.sh test
	$(PY) -m tools.chaos $(if $(SEED),--seed $(SEED)) $(if $(SHORT),--short)

bundle: setup ## all that a machine without network needs, in one file: build/poc-server-VERSION.tar.gz
	@bash tools/bundle.sh

docs: setup ## write the parts of docs/ that are made from the code
	@$(PY) -m tools.docs.protocol
	@$(PY) -m tools.docs.floor
	@$(PY) -m tools.docs.rights
	@$(PY) -m tools.docs.config

bench: setup ## every figure of docs/performance.md on this machine: build/bench.json, build/bench.html (QUICK=1: shorter runs; DOCS=1: brings docs/ up to date)
	-@bash tools/system_packages.sh bench
	$(PY) -m loadtest.bench $(if $(QUICK),--quick) $(if $(DOCS),--docs docs)

clean: ## remove what was built (not the environment, not your data)
	rm -rf build web/dist web/src/generated .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -not -path './$(VENV)/*' -not -path './web/node_modules/*' -prune -exec rm -rf {} +

distclean: clean ## … and the environment and page libraries, to start as a fresh clone does
	rm -rf $(VENV) web/node_modules *.egg-info
