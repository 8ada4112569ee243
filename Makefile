# SPDX-License-Identifier: AGPL-3.0-or-later
# `make demo` and `make test` each start from a bare Debian machine with Python 3.11 and Node.

PYTHON ?= python3
PORT ?= 4080
DEMO_DIR ?= demo-data
TESTS ?= tests
VENV := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-chaos lint format types bench lock wheel clean distclean

help:  ## Show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

setup:  ## Make the environment, build Ice once, build the pages' scripts
	@$(PYTHON) scripts/setup.py

demo: setup  ## Serve OMERO.web with the plugin and example plates on loopback (PORT=, DEMO_DIR=)
	@exec $(VENV)/python scripts/demo.py --port $(PORT) --folder $(DEMO_DIR)

test:  ## Set everything up and run all tests, browser tests included
	@$(PYTHON) scripts/setup.py --tests
	cd frontend && npm run --silent typecheck && npm run --silent test
	$(VENV)/python -m pytest $(TESTS)

test-chaos: setup  ## Kill every kind of process at random, sixty times, and let a Slurm job time out (CHAOS_SEED=)
	$(VENV)/python -m pytest tests/chaos tests/execution/test_slurm.py -m chaos -s

lint: setup  ## Check style, types and the walls between packages
	$(VENV)/ruff check .
	$(VENV)/ruff format --check .
	$(VENV)/mypy
	$(VENV)/lint-imports
	cd frontend && npm run --silent typecheck && npm run --silent lint

format: setup  ## Format the code
	$(VENV)/ruff check --fix --exit-zero --quiet .
	$(VENV)/ruff format .

bench: setup  ## Measure, print a table and write build/bench.json
	@$(VENV)/python scripts/bench.py

lock: setup  ## Resolve the locked packages anew
	$(VENV)/uv pip compile --quiet --python-version 3.11 --all-extras --generate-hashes --no-emit-package zeroc-ice \
	  --no-header --no-annotate --upgrade --output-file requirements/locked.txt pyproject.toml

wheel: setup  ## Build the wheel, with the pages' scripts inside
	$(VENV)/python -m build --no-isolation --wheel --outdir dist

clean:  ## Remove what was built, and the demo's data
	rm -rf build dist $(DEMO_DIR) src/omero_openhcs/static/omero_openhcs/dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

distclean: clean  ## Remove the environment as well (the cached Ice wheel stays)
	rm -rf .venv frontend/node_modules
