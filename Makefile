# Verbs of this repository. Each sets up what it needs; `make` alone lists them.

PYTHON ?= python3
BIN := .venv/bin

# Waiting threads sleep: spinning slows small models down on a shared machine.
export OMP_WAIT_POLICY ?= PASSIVE

.PHONY: help install demo test test-quick test-oldest test-slurm lint docs dist test-dist bench upstream-check upstream-branch clean
.DEFAULT_GOAL := help

help:  ## List the verbs
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## */  make \1\t/' | expand -t 24

install: .venv/installed  ## Make .venv and install the package with its tools

.venv/installed: setup.py
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -e '.[test]'
	touch $@

demo: install  ## Train and use adapters in miniature, without any download
	$(BIN)/python -m speechbrain_petl.demo

test: install  ## Run the whole test suite, on all cores
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto

test-quick: install  ## The tests that take no more than a few seconds each
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto -m "not slow"

test-oldest:  ## The quick tests with the oldest versions that are supported
	$(PYTHON) -m venv .venv-oldest
	.venv-oldest/bin/python -m pip install -c tests/oldest.txt -e '.[test]'
	OMP_NUM_THREADS=1 .venv-oldest/bin/python -m pytest -n auto -m "not slow"

test-slurm: install  ## The tests of Slurm, on two nodes that this machine plays
	tools/slurm_node.sh start $(CURDIR)/.slurm
	SLURM_CONF=$(CURDIR)/.slurm/slurm.conf $(BIN)/python -m pytest -m slurm \
		tests/experiments/running; \
		code=$$?; tools/slurm_node.sh stop $(CURDIR)/.slurm; exit $$code

lint: install  ## Check style, YAML files, spelling and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/yamllint --no-warnings .
	$(BIN)/codespell
	$(BIN)/mypy

docs: install  ## Make the site in docs/_build/html; warnings are errors
	$(BIN)/python -m pip install -q -e '.[docs]'
	$(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html

dist: install  ## Build the wheel and the sdist, in dist
	$(BIN)/python -m pip install -q build
	rm -rf dist
	$(BIN)/python -m build --outdir dist

test-dist: install  ## Try them: an empty folder, an environment of their own
	$(BIN)/python tools/try_wheel.py dist

# The reference code has an environment of its own: see benchmarks/RESULTS.md.
bench: install  ## Measure; BENCH="--reference PETL_AST --reference_python ..."
	$(BIN)/python -m benchmarks --compile $(BENCH)

upstream-check: install  ## SpeechBrain's own checks; SPEECHBRAIN=/path/to/checkout
	$(BIN)/python tools/upstream_check.py $(or $(SPEECHBRAIN),$(error give SPEECHBRAIN=/path/to/checkout))

upstream-branch: install  ## Branches for SpeechBrain, checked; SPEECHBRAIN=/path/to/checkout
	$(BIN)/python tools/upstream_branch.py --check $(or $(SPEECHBRAIN),$(error give SPEECHBRAIN=/path/to/checkout))

clean:  ## Remove .venv, builds and caches; results stay
	rm -rf .venv .venv-oldest build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
