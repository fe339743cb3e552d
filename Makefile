# Needs Python 3.11 or newer and make; everything else is installed into .venv.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
WORKERS ?= auto

.PHONY: setup demo test test-all lint types fmt bench clean

setup: .venv/.ready

.venv/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "pipeduck needs Python 3.11 or newer; say which with make PYTHON=/path/to/python")'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: setup          ## the whole product on an imaginary account: no token needed
	$(BIN)/pipeduck demo

test: setup lint types   ## lint, types and tests
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

test-all: setup lint types   ## the same with the long versions of the property tests
	HYPOTHESIS_PROFILE=thorough $(BIN)/python -m pytest -n $(WORKERS) --dist loadfile -m "thorough or not thorough"

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

fmt: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup         ## speed and memory; prints, asserts nothing
	$(BIN)/python -m benchmarks

clean:
	rm -rf .venv dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis
