# The words a newcomer types. CI and pre-commit call the same words.
# Needs python3 >= 3.11 and make; everything else is fetched into .venv, pinned by uv.lock.

PYTHON ?= python3
BIN := .venv/bin
UV := $(BIN)/uv
# Databases that `make test` may start are looked up in PATH; Debian keeps mariadbd in sbin.
export PATH := $(CURDIR)/$(BIN):$(PATH):/usr/sbin
export UV_PROJECT_ENVIRONMENT := $(CURDIR)/.venv
# A virtual environment that happens to be active must not be taken for ours.
unexport VIRTUAL_ENV
PROJECTS := pyproject.toml uv.lock $(wildcard */pyproject.toml)
WORKERS ?= 2
SECONDS ?= 600
PORT ?= 8800

.DEFAULT_GOAL := help
.PHONY: help setup demo test ledgers check lint types imports format bench sim kills switches mutants workers hunt load requirements lock clean

help:
	@echo "make setup         create .venv with every executable (tap-backoffice, target-activecampaign, meltano)"
	@echo "make demo          sample backoffice, simulated vendors, three acts, numbers checked"
	@echo "make test          the whole test suite"
	@echo "make ledgers       the ActiveCampaign target's tests with the ledger on PostgreSQL"
	@echo "make check         lint + types + imports + test: exactly what CI runs"
	@echo "make sim           the simulated vendors on http://127.0.0.1:$(PORT)/activecampaign and /optimizely"
	@echo "make bench         side by side with other taps and targets"
	@echo "make kills         tap and target killed at random points, many times"
	@echo "make switches      every guess about the vendor turned, and what the target then does"
	@echo "make mutants       deciding modules changed at every place: does a test notice?"
	@echo "make workers       four workers load one account at its real rate, on Redis and on PostgreSQL"
	@echo "make hunt          random histories against a model, for SECONDS=600"
	@echo "make load          100,000 contacts and recipients, memory of each process"
	@echo "make requirements  which requirement is proven by which test"
	@echo "make lock          resolve anew: uv.lock, and constraints.txt for the plugin environments"
	@echo "make format        rewrite the sources as ruff wants them"
	@echo "make clean         remove everything that can be made again"

setup: .venv/.synced

.venv/.bootstrapped: tools/bootstrap.py uv.lock
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) not found: install Python 3.11 or newer"; exit 1; }
	$(PYTHON) tools/bootstrap.py
	@touch $@

.venv/.synced: .venv/.bootstrapped $(PROJECTS)
	$(UV) sync --frozen --all-packages --python $(BIN)/python
	@touch $@

demo: setup
	$(BIN)/python -m examples.demo $(DEMO)

test: setup
	$(BIN)/pytest -n $(WORKERS) --dist loadgroup $(PYTEST)

ledgers: setup
	LEDGER=postgresql $(BIN)/pytest tests/destinations -n $(WORKERS) $(PYTEST)

check: lint types imports test

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

imports: setup
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

sim: setup
	$(BIN)/api-simulators --port $(PORT)

bench: setup
	$(BIN)/python -m benchmarks $(BENCH)

kills: setup
	FAULTS=all $(BIN)/pytest tests/faults -m kills -n $(WORKERS) $(PYTEST)

switches: setup
	FAULTS=all $(BIN)/pytest tests/faults tests/destinations_optimizely -m switches -s $(PYTEST)

mutants: setup
	$(BIN)/python -m tools.mutants --workers $(WORKERS) $(MUTANTS)

workers: setup
	FAULTS=all $(BIN)/pytest tests/workers $(PYTEST)

hunt: setup
	HUNT_SECONDS=$(SECONDS) $(BIN)/pytest tests/properties -s -o timeout=0 $(PYTEST)

load: setup
	$(BIN)/python -m benchmarks.load $(LOAD)
	$(BIN)/python -m benchmarks.lists $(LOAD)
	$(BIN)/python -m benchmarks.contacts $(or $(LOAD),100000)

requirements: setup
	@$(BIN)/python tools/requirements.py

lock: .venv/.bootstrapped
	$(UV) lock
	$(UV) export --frozen --all-packages --no-emit-workspace --no-hashes --no-header --no-annotate \
	  --quiet --output-file constraints.txt

clean:
	rm -rf .venv .demo .meltano .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage dist build
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
