# Everything a developer or an operator does here. Needs python3 (3.11 or newer), make and git; the rest is put into
# .venv by hash: from deploy/requirements.lock what running needs, from requirements.lock what developing needs as well.

SHELL := /bin/bash
.DEFAULT_GOAL := help

PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV := .venv
BIN := $(VENV)/bin
RUNS := $(VENV)/.runs
READY := $(VENV)/.ready
BEGUN := $(VENV)/.begun
# What a target stands on is made anew where .venv was left half-made, has lost its Python, or was moved.
ifneq ($(shell $(BIN)/python -c 'import sys; print(open(sys.prefix + "/.runs").read())' 2> /dev/null),$(CURDIR))
.PHONY: $(RUNS) $(READY)
endif
CHAOS_SECONDS ?= 600
# Tests mostly wait for processes and brokers, so two workers save a third of the time. 0: one after the other.
WORKERS ?= 2
export UV_PYTHON_DOWNLOADS := never

##@ Run

.PHONY: up
up: $(RUNS) ## start Kafka, PostgreSQL and all services on this machine; ARGS="--demo --data DIR" is passed on
	$(BIN)/tellback up $(ARGS)

.PHONY: demo
demo: $(RUNS) ## play a B2B year into a running Tellback; ARGS is passed on
	$(BIN)/tellback demo $(ARGS)

##@ Develop

.PHONY: venv
venv: $(READY) ## make .venv with all that is needed (the other targets do it themselves)

.PHONY: fmt
fmt: $(READY) ## format the code and mend what ruff can mend
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

.PHONY: check
check: $(READY) ## style, types, import contracts, sizes, compose file, freshness of the generated documents
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml
	$(BIN)/python -P -m tools.reference --check
	$(BIN)/pytest -q tests/architecture -m "not slow"

.PHONY: test
test: $(READY) ## all tests on one real Kafka and one real PostgreSQL; ARGS="tests/unit -k name" narrows
	$(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

.PHONY: test-thorough
test-thorough: $(READY) ## what takes longer: properties on all their examples instead of 20, kills at random moments
	TELLBACK_TEST_THOROUGH=1 $(BIN)/pytest --numprocesses $(WORKERS) --dist loadfile --no-loadscope-reorder \
		-m "(thorough or hypothesis) and not chaos and not browser and not bench" $(ARGS)

.PHONY: browser
browser: $(READY) ## the tests in a real Chromium, Debian's; as root it installs it where it is missing
	@test -x /usr/bin/chromium || test -n "$$TELLBACK_TEST_CHROMIUM" || if test "$$(id -u)" = 0; then \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; \
		else echo "Chromium is missing: sudo apt-get install chromium, or name one in TELLBACK_TEST_CHROMIUM" >&2; exit 1; fi
	$(BIN)/pytest -m browser $(ARGS)

.PHONY: image
image: $(READY) ## build the image and start what docker-compose.yml says, without Docker; as root, with buildah and debootstrap
	$(BIN)/pytest -m image $(ARGS)

.PHONY: screenshots
screenshots: ## a picture of every page and dialog of the dashboard, of all roles, full and empty, in build/pictures
	$(MAKE) browser ARGS="tests/browser -k 'every_page or every_dialog'"

.PHONY: chaos
chaos: $(READY) ## kill services, Kafka and PostgreSQL under load, ten minutes and more; CHAOS_SECONDS=60 shortens
	TELLBACK_CHAOS_SECONDS=$(CHAOS_SECONDS) $(BIN)/pytest -m chaos --timeout 600 $(ARGS)

.PHONY: coverage
coverage: $(READY) ## the tests with branch coverage
	$(BIN)/pytest --cov --cov-report=term --cov-report=html $(ARGS)

.PHONY: bench
bench: $(READY) ## measure beside a raw baseline: ARGS="collector"; without ARGS it lists what there is
	$(BIN)/python -P -m bench $(ARGS)

##@ Maintain

.PHONY: docs
docs: $(READY) ## write the generated documents anew: APIs, events, settings
	$(BIN)/python -P -m tools.reference

.PHONY: lock
lock: $(READY) ## resolve requirements.lock and those in deploy/ anew; UPGRADE=1 takes newer versions
	$(BIN)/uv pip compile pyproject.toml --group dev -o requirements.lock $(if $(UPGRADE),--upgrade) $(LOCK)
	$(BIN)/uv pip compile pyproject.toml -c requirements.lock -o deploy/requirements.lock --upgrade $(LOCK)
	$(BIN)/uv pip compile pyproject.toml -c requirements.lock --excludes deploy/embedded.txt \
		-o deploy/image.lock --upgrade $(LOCK)

.PHONY: wheel
wheel: $(READY) ## build the wheel into dist/
	$(BIN)/python -P -m build --wheel --no-isolation

.PHONY: clean
clean: ## remove .venv, caches and builds; the data of `make up` stay
	rm -rf $(VENV) build dist htmlcov .coverage .coverage.* .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache
	find services shared tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

.PHONY: help
help: ## this list
	@awk 'BEGIN {FS = ":.*## "} \
		/^##@ / {printf "\n%s\n", substr($$0, 5)} \
		/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' Makefile

# Locks name no index, no host and no path, so that they say the same wherever they are made.
LOCK := --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	--no-emit-index-url --no-emit-find-links

# Builds what is installed as editable, without asking an index for anything.
BUILDERS := hatchling|editables|packaging|pathspec|pluggy|tomlkit|trove-classifiers
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
UV := VIRTUAL_ENV=$(VENV) $(BIN)/uv pip

$(RUNS): deploy/requirements.lock pyproject.toml
	$(environment)
	sed -nE '/^($(BUILDERS))==/,/[^\\]$$/p' requirements.lock > $(VENV)/build.lock
	$(UV) install --quiet --require-hashes -r deploy/requirements.lock -r $(VENV)/build.lock
	$(UV) install --quiet --no-deps --no-build-isolation --editable .
	test -e $(READY) || $(PIP) uninstall --yes uv
	$(finished)

$(READY): requirements.lock pyproject.toml
	$(environment)
	$(UV) sync --quiet --require-hashes requirements.lock
	$(UV) install --quiet --no-deps --no-build-isolation --editable .
	$(finished)
	@touch $@

# An environment, and uv to install into it. One in which an installation was begun and not finished, which has no pip, or which is
# of another folder is made anew. Debian's python3 leaves one without pip where the package python3-venv is missing.
define environment
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, found %d.%d" % sys.version_info[:2] \
		if sys.version_info < (3, 11) else 0)'
	@if test -e $(BEGUN) || ! $(BIN)/python -m pip --version > /dev/null 2>&1 || \
		{ test -e $(RUNS) && test "$$(cat $(RUNS))" != "$(CURDIR)"; }; then \
		rm -rf $(VENV) && $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "No .venv could be made; on Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }; fi
	@touch $(BEGUN)
	@echo "Installing into $(VENV) …"
	sed -n '/^uv==/,/[^\\]$$/p' requirements.lock > $(VENV)/uv.lock
	$(PIP) install --require-hashes -r $(VENV)/uv.lock
endef

define finished
	@echo $(CURDIR) > $(RUNS)
	@rm $(BEGUN)
endef
