# One command a chore. `make help` lists them.
SHELL := /bin/bash
PY := .venv/bin/python
DAOYI := .venv/bin/daoyi
CHROMIUM := /usr/bin/chromium
export RASA_TELEMETRY_ENABLED := false
export TF_CPP_MIN_LOG_LEVEL := 3
export SQLALCHEMY_SILENCE_UBER_WARNING := 1

.DEFAULT_GOAL := help
.PHONY: help run install train test check format bench bench-nlu chat clean

help: ## list these commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 14

run: install ## install, train when needed, start; prints the addresses
	@$(DAOYI) serve

install: .venv/installed ## the locked packages into .venv

.uv/bin/uv:
	@echo "installing uv …"
	@python3 -m venv .uv && .uv/bin/pip install --quiet --disable-pip-version-check uv

.venv/installed: requirements.lock pyproject.toml | .uv/bin/uv
	@echo "installing packages (about a minute the first time) …"
	@test -x $(PY) || .uv/bin/uv venv --quiet --allow-existing .venv
	@.uv/bin/uv pip sync --quiet --python $(PY) --require-hashes requirements.lock
	@.uv/bin/uv pip install --quiet --python $(PY) --no-deps --no-build-isolation --editable .
	@touch $@

train: install ## train the model when no model fits today's files
	@$(DAOYI) train

test: install $(CHROMIUM) train ## install what tests need and run them all
	@$(PY) -m pytest

$(CHROMIUM):
	@echo "installing Chromium and Chinese fonts …"
	@apt-get update -qq && apt-get install -y -qq chromium fonts-noto-cjk >/dev/null

check: install ## format, lint, import contracts
	@.venv/bin/ruff format --check .
	@.venv/bin/ruff check .
	@.venv/bin/lint-imports

format: install ## bring the code into form
	@.venv/bin/ruff check --fix --quiet . ; .venv/bin/ruff format --quiet .

bench: train ## turns against stock Rasa, figures into benchmarks/results/
	@$(PY) -m benchmarks.turns

bench-nlu: train ## understanding against DIET, SVM, fastText and nlp.js, table into benchmarks/results/
	@$(PY) -m benchmarks.nlu.peers

chat: train ## talk in the terminal
	@$(DAOYI) chat

clean: ## remove what was built (models, encoder, caches); the database in var/ stays
	@rm -rf build models .rasa
