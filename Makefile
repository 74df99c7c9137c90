# One command each. `make demo` and `make test` do all their set-up; the second time they start at once.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help

VENV ?= .venv
BIN := $(VENV)/bin
PY := $(BIN)/python
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
PIP := PIP_DISABLE_PIP_VERSION_CHECK=1 $(PY) -m pip --quiet
LOCKS := requirements.txt requirements-build.txt requirements-dev.txt
NODE_CLIENTS := tests/clients/node
PYTEST := $(PY) -m pytest
# One more than there are cores: many tests wait for a process, a browser or a disk.
WORKERS ?= $(shell echo $$(( $$(getconf _NPROCESSORS_ONLN) + 1 )))
ROOT_TESTS := $(shell [ "$$(id -u)" = 0 ] || echo "and not root")

.PHONY: help setup setup-dev demo up lint check format test screenshots docs lock wheel packages clean

help:  ## what there is to make
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

# ---- set-up -------------------------------------------------------------------------------------------------------

$(VENV)/.made:
	@if [ -z "$(PYTHON)" ]; then echo "Seamscope needs Python 3.11 or newer; found: $$(python3 --version 2>&1 || true)." \
		"Install it, or name one: make PYTHON=/path/to/python3.11 $(MAKECMDGOALS)" >&2; exit 1; fi
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || .ci/apt-install python3-venv "the module venv of $(PYTHON)"
	$(PYTHON) -m venv $(VENV)
	@touch $@

$(VENV)/.run: $(VENV)/.made requirements.txt requirements-build.txt pyproject.toml
	@echo "installing what requirements.txt locks into $(VENV) …"
	@$(PIP) install --require-hashes -r requirements.txt
	@$(PIP) install --require-hashes -r requirements-build.txt
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements-dev.txt
	@echo "installing what the tests need into $(VENV) …"
	@$(PIP) install --require-hashes -r requirements-dev.txt
	@touch $@

# The exporters of other languages that the tests send with; Node itself comes as a wheel.
$(NODE_CLIENTS)/node_modules/.made: $(VENV)/.dev $(wildcard $(NODE_CLIENTS)/package-lock.json)
	@if [ -f $(NODE_CLIENTS)/package-lock.json ]; then cd $(NODE_CLIENTS) && \
		PATH="$(abspath $(BIN)):$$PATH" npm ci --ignore-scripts --no-audit --no-fund --loglevel=error; fi
	@mkdir -p $(@D) && touch $@

setup: $(VENV)/.run  ## install what it takes to run
setup-dev: $(VENV)/.dev $(NODE_CLIENTS)/node_modules/.made  ## install what it takes to test

# ---- run ----------------------------------------------------------------------------------------------------------

demo: setup  ## collector, dashboard and realistic workflows; Ctrl-C stops them
	@exec $(BIN)/seamscope demo

up: setup  ## collector and dashboard, empty
	@exec $(BIN)/seamscope up

# ---- check --------------------------------------------------------------------------------------------------------

lint: setup-dev  ## format, lint, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

check: lint  ## that and quick tests
	$(PYTEST) -q -n $(WORKERS) -m "not slow and not browser and not root"

format: setup-dev  ## rewrite what `check` would complain about
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

test: setup-dev  ## everything; brings Chromium where apt may
	@.ci/chromium
	@failed=0; \
	$(MAKE) --no-print-directory lint || failed=1; \
	$(PYTEST) -n $(WORKERS) -m "not slow and not browser $(ROOT_TESTS)" || failed=1; \
	$(PYTEST) -n $(WORKERS) --dist loadfile --no-loadscope-reorder -m "(slow or browser) $(ROOT_TESTS)" || failed=1; \
	exit $$failed

screenshots: setup-dev  ## pictures of every page, in both themes; those of README and docs anew
	@.ci/chromium
	$(PY) -m tests.screenshots

docs: setup-dev  ## write the tables of docs/ that are made from the code
	$(PY) -m tests.doc_tables

# ---- release ------------------------------------------------------------------------------------------------------

COMPILE := $(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-header \
	--no-emit-index-url --no-emit-trusted-host --no-emit-find-links
UPGRADE ?=

lock: setup-dev  ## lock anew what pyproject.toml asks for; UPGRADE=--upgrade takes the newest
	$(COMPILE) $(UPGRADE) --output-file requirements.txt pyproject.toml
	$(COMPILE) $(UPGRADE) --build-deps-for wheel --only-build-deps --output-file requirements-build.txt pyproject.toml
	$(COMPILE) $(UPGRADE) --extra dev --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml
	@sed -i.bak '/^#/d' $(LOCKS) && rm -f $(LOCKS:=.bak)
	@! grep -nE '://|file:|@ |^-' $(LOCKS) || { echo "a lock file names a place to download from" >&2; exit 1; }

wheel: setup-dev  ## dist/seamscope-*.whl
	rm -rf build dist
	$(PY) -m build --quiet --wheel --no-isolation
	@ls dist

packages: setup  ## how many packages run Seamscope
	@grep -cE '^[a-z0-9._-]+==' requirements.txt

clean:  ## forget everything that was made
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis $(NODE_CLIENTS)/node_modules
