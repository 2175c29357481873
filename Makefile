# The project's verbs. Each is enough on its own in a fresh clone: it first makes .tools/ (pipenv)
# and .venv/ (what Pipfile.lock names, on Python 3.13), and touches no other environment.

PYTHON ?= python3
PIPENV_VERSION := 2026.10.3
AXE_VERSION := 4.14.1
SAM_VERSION := 1.170.0
SAM_HOME := .tools/sam-$(SAM_VERSION)
SAM ?= $(SAM_HOME)/bin/sam

# An activated virtual environment, or settings for another project, must not redirect pipenv.
export PIPENV_VENV_IN_PROJECT := 1
export PIPENV_IGNORE_VIRTUALENVS := 1
export PIPENV_NOSPIN := 1
export PIPENV_PIPFILE := $(CURDIR)/Pipfile
unexport VIRTUAL_ENV PYTHONPATH PYTHONHOME PIP_USER PIP_TARGET
export SAM_CLI_TELEMETRY := 0

PIPENV := .tools/bin/pipenv
AXE_HOME := .tools/axe-$(AXE_VERSION)
AXE := $(AXE_HOME)/node_modules/axe-core/axe.min.js
BIN := .venv/bin
ARTIFACT := build/function
FUNCTIONS := ReaderFunction WorkerFunction AdminFunction
ARGS ?=
STACK ?=
REGION ?=
SECONDS ?= 60

.DEFAULT_GOAL := help
.PHONY: help local admin test test-browser check build deploy soak bench lock clean $(FUNCTIONS:%=build-%)

help: ## Show the verbs
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

local: .venv/.synced ## Run the whole service on this machine (ARGS="--help" lists the options)
	@$(BIN)/python -m local $(ARGS)

admin: .venv/.synced ## Operate a stack, deployed or local (ARGS="--help" is the manual)
	@$(BIN)/python -m tools.admin $(ARGS)

test: check $(ARTIFACT).made ## Lint, types, template checks and every test
	@ARTIFACT=$(ARTIFACT) $(BIN)/python -m pytest --numprocesses 4 --dist loadfile --cov --cov-report=term:skip-covered $(ARGS)

test-browser: .venv/.synced $(AXE) ## Test the pages in Chromium (which it installs, as root on Debian)
	@tools/ensure_chromium
	@AXE=$(AXE) $(BIN)/python -m pytest -m browser tests/browser $(ARGS)

check: .venv/.synced ## Lint, formatting, types, template, workflows
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/cfn-lint template.yaml
	@$(BIN)/yamllint --strict .
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.github-workflows .github/workflows/*.yaml
	@$(BIN)/check-jsonschema --quiet --builtin-schema vendor.dependabot .github/dependabot.yml

build: $(ARTIFACT).made $(SAM) ## Build what is deployed, into .aws-sam/build/
	@$(SAM) validate --lint --region us-east-1
	@$(SAM) build --build-in-source --no-cached
	@$(BIN)/python tools/report_sizes.py .aws-sam/build

deploy: build ## Build, then deploy to AWS (REGION= and STACK=; asks for everything the first time)
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(SAM) deploy $(if $(wildcard samconfig.toml),--confirm-changeset,--guided) \
	  $(REGION:%=--region %) $(STACK:%=--stack-name %) $(ARGS)

soak: .venv/.synced ## Run the randomised model for SECONDS=60, with fresh choices
	@$(BIN)/python -m tests.reliability.soak --seconds $(SECONDS)

bench: .venv/.synced ## Measure it as ratios to the bare SDK and the least requests (ARGS="--help")
	@$(BIN)/python -m tools.bench $(ARGS)

lock: $(PIPENV) ## Renew Pipfile.lock to the newest versions that Pipfile allows
	@$(PIPENV) lock
	@$(PYTHON) tools/strip_lock.py Pipfile.lock
	@$(PIPENV) verify

clean: ## Remove the environments and everything that was built
	@rm -rf .tools .venv .aws-sam .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage build requirements.txt

$(PIPENV): Makefile
	@command -v "$(PYTHON)" > /dev/null || { echo 'error: there is no $(PYTHON). Name one: make PYTHON=/path/to/python3.13 ...' >&2; exit 1; }
	@$(PYTHON) tools/check_python.py
	@echo "Making .tools/ with pipenv $(PIPENV_VERSION) …"
	@$(PYTHON) -m venv .tools
	@.tools/bin/python -m pip install --quiet --disable-pip-version-check "pipenv==$(PIPENV_VERSION)"
	@touch $@

$(AXE):
	@command -v npm > /dev/null || { echo 'error: make test-browser needs npm (on Debian: apt-get install npm)' >&2; exit 1; }
	@echo "Putting axe-core $(AXE_VERSION) into .tools/ …"
	@npm install --prefix $(AXE_HOME) --no-package-lock --ignore-scripts --no-audit --no-fund --loglevel error \
	  "axe-core@$(AXE_VERSION)" > /dev/null

.venv/.synced: Pipfile.lock | $(PIPENV)
	@echo "Making .venv/ from Pipfile.lock (Python 3.13; under a minute as a rule) …"
	@$(PIPENV) sync --dev --quiet < /dev/null || { $(PIPENV) --py > /dev/null 2>&1 || printf '%s\n' \
	  'lambda-mips-api needs Python 3.13, the version of its Lambda runtime, and found none.' \
	  'Install it (for example "pyenv install 3.13"), or name it: make $(MAKECMDGOALS) PIPENV_PYTHON=/path/to/python3.13' >&2; exit 1; }
	@touch $@

requirements.txt: Pipfile.lock | $(PIPENV)
	@$(PIPENV) requirements --hash > $@.unfinished
	@mv $@.unfinished $@

# Folders are among the prerequisites: a file that was removed changes its folder.
$(ARTIFACT).made: requirements.txt tools/build_artifact.py $(shell find core handlers -not -name '*.py[co]' \
  -not -name __pycache__) | .venv/.synced
	@echo "Making $(ARTIFACT)/, what the functions run …"
	@$(BIN)/python tools/build_artifact.py requirements.txt $(ARTIFACT)
	@touch $@

# What "sam build" asks for: the functions share one artifact and differ in their handlers.
$(FUNCTIONS:%=build-%): $(ARTIFACT).made
	@cp -Rp $(ARTIFACT)/. "$(ARTIFACTS_DIR)"

$(SAM_HOME)/bin/sam: | $(PIPENV)
	@echo "Making $(SAM_HOME)/ with the SAM CLI $(SAM_VERSION), which is not there yet (half a minute) …"
	@$(PYTHON) -m venv $(SAM_HOME)
	@$(SAM_HOME)/bin/python -m pip install --quiet --disable-pip-version-check "aws-sam-cli==$(SAM_VERSION)" || { printf '%s\n' \
	  'make build needs the SAM CLI (aws-sam-cli $(SAM_VERSION)), and pip could not install it.' \
	  'Install it yourself and name it: make build SAM=/path/to/sam' >&2; rm -rf $(SAM_HOME); exit 1; }
	@touch $@
