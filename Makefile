# Everything a newcomer or a build machine types. Needs Python 3.11 or later, git and make; the rest is set up here.

.DEFAULT_GOAL := help
.PHONY: help setup tools demo test check lint format docs pins bench faults clean
SHELL := /bin/sh

VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
ARGS ?=
FAST := tests/unit/core tests/unit/dialects $(addprefix tests/unit/test_,architecture.py changelog.py doctests.py readme.py requirements.py)
UV ?= uv
PINNED := --quiet --no-header --generate-hashes --universal --python-version 3.11

# The first Python on PATH that is new enough and really starts (a version manager's shim may not).
PYTHON ?= $(shell for name in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## make .venv with the pinned packages and the gitops-workers command

$(READY): requirements.txt requirements-dev.txt pyproject.toml
	@test -n "$(PYTHON)" || { echo "no Python 3.11 or later on PATH: install one, or run make PYTHON=/path/to/python3"; exit 1; }
	@echo "setting up $(VENV): about a minute the first time"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --progress-bar off \
		--require-hashes -r requirements.txt -r requirements-dev.txt
	@$(BIN)/python -m pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $@

tools: $(READY) ## build the pinned tools (kustomize, helm, sops, a local Kubernetes): minutes, once
	@$(BIN)/python -m gitops_workers.local.toolchain kustomize helm controlplane kwok sops

demo: $(READY) ## two clusters, a Git server, the whole engine and a story; make demo ARGS=--once ends by itself
	@exec $(BIN)/python -m gitops_workers.local.demo $(ARGS)

test: $(READY) tools lint ## everything that has to hold: linters, types, layers, tests (ARGS go to pytest)
	$(BIN)/python -m pytest -n 2 --dist loadfile --ignore=tests/bench --ignore=tests/faults $(ARGS)

check: lint ## the fast part, under a minute: lint, and the unit tests of core, dialects and documents
	$(BIN)/python -m pytest -n 2 -q --durations=3 $(FAST) $(ARGS)

lint: $(READY) ## ruff, mypy --strict, import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	PYTHONPATH=. $(BIN)/lint-imports

format: $(READY) ## let ruff repair what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(READY) ## write the generated parts of docs/architecture.md anew
	$(BIN)/python -m docs.picture

pins: ## write requirements*.txt anew from requirements*.in (needs uv on PATH); versions that still fit stay
	$(UV) pip compile $(PINNED) requirements.in -o requirements.txt
	$(UV) pip compile $(PINNED) requirements-dev.in -o requirements-dev.txt

bench: tools ## benchmarks: ratios measured side by side, lines in build/bench.jsonl
	$(BIN)/python -m tests.bench $(ARGS)

faults: tools ## kill, freeze and cut off what the engine needs, lines in build/faults.jsonl
	$(BIN)/python -m pytest tests/faults -p no:randomly -s $(ARGS)

clean: ## remove what can be made again: build results, caches, the demo's folder
	rm -rf build .demo .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
