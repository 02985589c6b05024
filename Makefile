# Everything a person does with this repository. `make` alone lists it.
#
# PYTHON   the interpreter that .venv is made with (3.11 or newer)
# STATE    where `make run` keeps its state, .local by default; another folder and other ports make a second portal

PYTHON ?= $(firstword $(foreach name,python3 python3.14 python3.13 python3.12 python3.11,$(shell \
            command -v $(name) >/dev/null 2>&1 && $(name) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
            2>/dev/null && echo $(name))) python3)
STATE ?= .local
RUN := .venv/bin/python -m

.DEFAULT_GOAL := help
.PHONY: help install install-dev run emulator assets test lint format bench lock secrets clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

install: ## create .venv and node_modules with the pinned packages
	@$(PYTHON) scripts/install.py

install-dev:
	@$(PYTHON) scripts/install.py --dev

run: install ## start the portal with its local Batch service; Ctrl-C ends it
	@$(RUN) scripts.run --state $(STATE)

emulator: install ## start the local Batch service alone, with its own blob store
	@$(RUN) scripts.run --state $(STATE) --only emulator

assets: install ## build what the browser loads into build/static
	@.venv/bin/python scripts/assets.py

test: install-dev ## run every test on SQLite and PostgreSQL, and the journeys in Chromium
	@$(RUN) scripts.test

lint: install-dev ## run every check of code, templates, walls, migrations and production settings
	@$(RUN) scripts.lint

format: install-dev ## format the Python code
	@.venv/bin/ruff check --fix-only --quiet .
	@.venv/bin/ruff format .

bench: install-dev ## measure speed and memory side by side; prints ratios
	@$(RUN) scripts.bench

lock: install-dev ## pin requirements*.in and package.json anew
	@$(RUN) scripts.lock

secrets: install ## write the secrets of docker-compose.yml to .secrets, once
	@$(RUN) scripts.compose_secrets

clean: ## remove the state of `make run` and everything built
	rm -rf $(STATE) build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
