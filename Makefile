# Every task of the project; plain `make` lists them. All tasks do their own set-up and are quick the second time.
# PYTHON chooses the interpreter (3.11 to 3.14): make setup PYTHON=python3.13

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check

RUN_REQUIREMENTS := $(wildcard requirements.txt bulk/requirements.txt imageservice/requirements.txt)
CONSTRAINTS := lambda_function/requirements.txt
DEV_REQUIREMENTS := requirements-dev.txt $(RUN_REQUIREMENTS)
AWS_CLI_REQUIREMENTS := tests/e2e/requirements-aws-cli.txt

# A stamp stands for a finished step: an interrupted one leaves none, and is done again.
MADE := $(VENV)/.made
READY := $(VENV)/.ready
READY_DEV := $(VENV)/.ready-dev
READY_AWS_CLI := .venv-aws/.ready
HASHED := lambda_function/requirements-hashed.txt
# npm itself, Node.js and PM2 are for who runs the image service with them; the tests bring a PM2 of their own.
PM2 ?= pm2
PM2_VERSION := 7.0.4
READY_PM2 := .npm-pm2/.ready
AUDIT_REQUIREMENTS := tests/meta/requirements-audit.txt
READY_AUDIT := .venv-audit/.ready
FUZZ_REQUIREMENTS := benchmarks/requirements-fuzz.txt
READY_FUZZ := .venv-fuzz/.ready
BENCH_REQUIREMENTS := benchmarks/requirements-peers.txt
READY_BENCH := .venv-bench/.ready

.DEFAULT_GOAL := help
.PHONY: help bench setup setup-dev browser has-pm2 run stop test corpora zips torture soak fuzz hashes audit lint format docs notices openapi clean

help: ## List all tasks
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: $(READY) ## Make .venv with everything that the programs need
	@echo "$(VENV) is ready"

setup-dev: $(READY_DEV) ## … and with the tools for testing and checking
	@echo "$(VENV) is ready"

run: ## Start the local cloud, set up, upload img/, print the gallery's address
	@$(PYTHON) run.py

stop: $(READY) ## Stop the local cloud; its data stay in .local_cloud/
	@$(BIN)/python -m local_cloud stop

test: $(READY_DEV) $(READY_AWS_CLI) $(READY_PM2) browser ## Run all tests, with a seeded slice of the torture tests
	@$(BIN)/python -m pytest

corpora: $(READY_DEV) ## Fetch the public test images into .corpora/ (about 200 MB; only the first time)
	@$(BIN)/python benchmarks/corpora.py --fetch-only

zips: $(READY) ## Build the zips for AWS, both architectures (the libraries are fetched only the first time)
	@$(BIN)/python setup_scripts/build_zip.py --architecture arm64
	@$(BIN)/python setup_scripts/build_zip.py --architecture x86_64

# A checkout that only wants to be tested needs no 200 MB, and no wheels for AWS; in CI nothing is left out.
ifeq ($(CI),true)
test: corpora zips
endif

torture: $(READY_DEV) ## Run the torture tests in full numbers (long), and put their figures into docs/reliability.md
	@$(BIN)/python -m pytest tests/torture --torture=full
	@$(BIN)/python docs/generate.py

MINUTES ?= 60
SOAK ?=
soak: $(READY_DEV) ## Let all flows run together under kills and faults: make soak MINUTES=60 [SOAK=--kill-cloud]
	@$(BIN)/python -m tests.torture.soak --minutes $(MINUTES) $(SOAK)

SECONDS ?= 60
fuzz: $(READY_FUZZ) ## Fuzz images, messages, keys, CSV files and lists: make fuzz SECONDS=600; findings go to .fuzz/
	@.venv-fuzz/bin/python benchmarks/fuzz.py --seconds $(SECONDS)

bench: $(READY_BENCH) corpora ## Measure core, peers, encoders, threads and the whole way, into benchmarks/results/ (an hour, idle)
	@.venv-bench/bin/python benchmarks/image_peers.py --repeat 7 --write
	@.venv-bench/bin/python benchmarks/encoders.py --repeat 5 --write
	@.venv-bench/bin/python benchmarks/threads.py --write
	@.venv-bench/bin/python benchmarks/end_to_end.py --write
	@.venv-bench/bin/python benchmarks/scaling.py --write

hashes: $(READY) ## Write the hashes of the zip's wheels anew, after a change of their versions
	@$(BIN)/python setup_scripts/write_hashes.py

audit: $(READY_AUDIT) ## Ask whether a library that we run has a known weakness
	@.venv-audit/bin/python setup_scripts/audit.py

lint: $(READY_DEV) ## Check style, format and types
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@if [ -x $(BIN)/hadolint ]; then $(BIN)/hadolint Dockerfile; fi

format: $(READY_DEV) ## Put imports and layout in order
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

docs: $(READY_DEV) ## Write docs/commands.md, docs/configuration.md and the figures of docs/reliability.md anew
	@$(BIN)/python docs/generate.py

notices: $(READY_DEV) zips ## Write THIRD_PARTY_NOTICES anew, from the wheels in the zips
	@$(BIN)/python docs/notices.py

openapi: $(READY_DEV) ## Write lambda_function/openapi.json anew
	@$(BIN)/python docs/describe_api.py

pm2-image-consumer: $(READY) has-pm2 ## Start the image service's consumer with PM2
	@$(PM2) start ecosystem.config.js --only image-consumer

pm2-restart-image-consumer: has-pm2 ## … restart it, with the environment as it is now
	@$(PM2) restart ecosystem.config.js --only image-consumer --update-env

pm2-delete-image-consumer: has-pm2 ## … stop it
	@$(PM2) delete image-consumer

pm2-script-resize-images-from-channel: $(READY) has-pm2 ## Scan the channels with PM2, now and every day at 01:00
	@$(PM2) start ecosystem.config.js --only resize-image-from-channel

pm2-delete-script-resize-images-from-channel: has-pm2 ## … no more
	@$(PM2) delete resize-image-from-channel

pm2-script-resize-images-from-episodes: $(READY) has-pm2 ## Scan the episodes with PM2, now and every day at 01:00
	@$(PM2) start ecosystem.config.js --only resize-image-from-episodes

pm2-delete-script-resize-images-from-episodes: has-pm2 ## … no more
	@$(PM2) delete resize-image-from-episodes

has-pm2:
	@command -v "$(PM2)" >/dev/null || { echo "PM2 is not installed: npm install -g pm2" >&2; exit 1; }

browser: ## Install Chromium for the browser tests, where apt-get may
	@if command -v chromium >/dev/null; then :; \
	elif [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing Chromium for the browser tests"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
			chromium fonts-liberation >/dev/null || echo "Chromium could not be installed"; \
	else echo "No Chromium here: the browser tests are skipped. On Debian: sudo apt-get install chromium"; fi

clean: ## Remove .venv, builds and caches; the local cloud's data stay
	@rm -rf $(VENV) .npm-pm2 .venv-aws .venv-audit .venv-fuzz .venv-bench .fuzz .bench .corpora .build .mypy_cache .ruff_cache .pytest_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(MADE):
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 to 3.14 is needed, this is " + sys.version.split()[0] + \
		". Choose one: make setup PYTHON=python3.13" if not (3, 11) <= sys.version_info < (3, 15) else 0)'
	@$(PYTHON) -m venv $(VENV)
	@touch $@

$(READY): $(RUN_REQUIREMENTS) $(CONSTRAINTS) | $(MADE)
	@echo "Installing what the programs need into $(VENV)"
	@$(PIP_INSTALL) $(addprefix -r ,$(RUN_REQUIREMENTS))
	@touch $@

$(READY_DEV): $(DEV_REQUIREMENTS) $(CONSTRAINTS) | $(MADE)
	@echo "Installing what the programs and the tests need into $(VENV)"
	@$(PIP_INSTALL) $(addprefix -r ,$(DEV_REQUIREMENTS))
	@touch $(READY) $@

# The tests drive the local cloud with the AWS CLI as well, which needs a botocore of its own.
$(READY_AWS_CLI): $(AWS_CLI_REQUIREMENTS) | $(MADE)
	@echo "Installing the AWS CLI for the tests into .venv-aws"
	@$(BIN)/python -m venv .venv-aws
	@.venv-aws/bin/python -m pip install --quiet --disable-pip-version-check -r $(AWS_CLI_REQUIREMENTS)
	@touch $@

# atheris has wheels for few Pythons only, so it has an environment of its own.
$(READY_FUZZ): $(FUZZ_REQUIREMENTS) requirements.txt | $(MADE)
	@echo "Installing atheris into .venv-fuzz"
	@$(BIN)/python -m venv .venv-fuzz
	@.venv-fuzz/bin/python -m pip install --quiet --disable-pip-version-check -r $(FUZZ_REQUIREMENTS)
	@touch $@

# Not the system's: the tests start and end daemons of it. Where there is no npm they are skipped.
$(READY_PM2):
	@mkdir -p $(@D)
	@if command -v npm >/dev/null; then \
		echo "Installing PM2 for the tests into $(@D)"; \
		npm install --prefix $(@D) --no-audit --no-fund --loglevel=error pm2@$(PM2_VERSION) >/dev/null && touch $@ \
			|| echo "PM2 could not be installed"; \
	else echo "No npm here: the tests of PM2 are skipped. On Debian: sudo apt-get install npm"; fi

$(READY_AUDIT): $(AUDIT_REQUIREMENTS) | $(MADE)
	@echo "Installing pip-audit into .venv-audit"
	@$(BIN)/python -m venv .venv-audit
	@.venv-audit/bin/python -m pip install --quiet --disable-pip-version-check -r $(AUDIT_REQUIREMENTS)
	@touch $@

$(READY_BENCH): $(BENCH_REQUIREMENTS) requirements.txt | $(MADE)
	@test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	@echo "Installing what is measured into .venv-bench (only the first time)"
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -r $(BENCH_REQUIREMENTS)
	@touch $@
