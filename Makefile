# Everything needs only python3 (>= 3.11, with venv) and a package index; .venv is made here.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/ready
PIP    := $(BIN)/pip -qq --disable-pip-version-check --no-input install --no-warn-script-location

.DEFAULT_GOAL := help
.PHONY: help demo test coverage lint format bench bench-pooling loadtest lock clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): requirements.lock pyproject.toml
	@echo "installing into $(VENV) (about two minutes the first time)"
	@$(PYTHON) -m venv $(VENV)
	@$(PIP) --require-hashes -r requirements.lock
	@$(PIP) --no-deps --no-build-isolation -e .
	@touch $@

demo: $(READY)  ## the whole mission on this machine (ONCE=1: headless, reconciled; PEOPLE=, PREVALENCE=, SEED=)
	$(BIN)/lims demo $(if $(ONCE),--once --json) $(if $(PEOPLE),--people $(PEOPLE)) $(if $(PREVALENCE),--prevalence $(PREVALENCE)) $(if $(SEED),--seed $(SEED))

test: $(READY)  ## all tests, on a real database, a real serial line and a real browser
	$(BIN)/pytest -n 3 --maxschedchunk 2 $(ARGS)

coverage: $(READY)  ## the same, counting branches: more than twice as long (htmlcov/)
	$(BIN)/pytest -n 3 --maxschedchunk 2 --cov --cov-report=term:skip-covered --cov-report=html $(ARGS)

lint: $(READY)  ## format, rules, types, walls
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY)  ## let ruff write the format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY)  ## measured figures as ratios to a limit taken in the same run
	$(BIN)/python -m loadtests.bench $(ARGS)

bench-pooling: $(READY)  ## what pool resolution must reach, with its bars (ARGS="--only search")
	$(BIN)/python -m loadtests.pooling $(ARGS)

loadtest: $(READY)  ## a mass-testing day with faults, reconciled (ARGS="--people 50000 --compress 60")
	$(BIN)/lims loadtest $(ARGS)

lock: $(READY)  ## pin every dependency again (hashes, no addresses)
	$(BIN)/uv pip compile -q --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --python-version 3.11 --universal --all-extras pyproject.toml -o requirements.lock

clean:  ## remove what make made
	rm -rf $(VENV) build dist htmlcov .coverage* .mypy_cache .ruff_cache .hypothesis .import_linter_cache
