SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
MAKEFLAGS += --no-builtin-rules --warn-undefined-variables
.DEFAULT_GOAL := help

UV_VERSION := 0.13.9
UV := .cache/uv/bin/uv
BIN := .venv/bin
READY := .venv/installed
PACKAGES := waybill services sandbox
SOURCES := $(PACKAGES) $(wildcard tests benchmarks)
STATIC := lint types imports contracts docs-check

ORDERS ?= 1000000
SEEDS ?= 1000
RUNS ?= 5

help: ## what there is to make
	@awk -F ':.*## ' '/^[a-z][a-z0-9-]*:.*## / {printf "  %-18s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# --- environment -------------------------------------------------------------------------------

setup: $(READY) ## make the environment in .venv, as requirements.lock has it

lock: $(UV) ## resolve the dependencies again (after an edit of pyproject.toml)
	$(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --extra dev --extra registry --extra broker pyproject.toml -o requirements.lock

$(UV):
	python3 -m venv .cache/uv
	.cache/uv/bin/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

$(READY): requirements.lock pyproject.toml | $(UV)
	$(UV) venv --quiet --allow-existing .venv
	$(UV) pip sync --quiet --python .venv/bin/python --require-hashes requirements.lock
	$(UV) pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e .
	touch $@

clean: ## delete what was built, cached or run; .venv and the downloads in .cache stay
	if [ -x $(BIN)/waybill ]; then $(BIN)/waybill down; $(BIN)/waybill kafka stop; fi
	rm -rf .run build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find $(SOURCES) -name __pycache__ -type d -prune -exec rm -rf {} +

# --- checks ------------------------------------------------------------------------------------

fmt: $(READY) ## format the code and sort its imports
	$(BIN)/ruff check --quiet --fix --select I $(SOURCES)
	$(BIN)/ruff format $(SOURCES)

lint: $(READY) ## ruff: rules and format
	$(BIN)/ruff check $(SOURCES)
	$(BIN)/ruff format --check $(SOURCES)

types: $(READY) ## mypy --strict
	$(BIN)/mypy $(SOURCES)

imports: $(READY) ## who may import whom (.importlinter)
	$(BIN)/lint-imports --no-cache

contracts: $(READY) ## rules of evolution, and the files that follow from the records
	$(BIN)/waybill schemas check

docs: $(READY) ## write the generated pages of docs/ anew
	$(BIN)/waybill docs write

docs-check: $(READY) ## the generated pages are what the code says
	$(BIN)/waybill docs check

check: $(STATIC) ## everything that is fast, under a minute; run it before every commit
	$(BIN)/pytest tests/unit -m "not slow and not kafka"

# --- tests -------------------------------------------------------------------------------------

test-unit: $(READY) ## tests of pure code, by example and by property: no server, no network
	$(BIN)/pytest $(wildcard tests/unit tests/property tests/gallery)

# before any test starts its clock
kafka-fetch: $(READY) ## fetch Apache Kafka from Maven Central (once)
	$(BIN)/waybill kafka fetch

test-integration: kafka-fetch ## tests against a real Kafka and real HTTP servers, which they start
	$(BIN)/pytest tests/integration

test-e2e: kafka-fetch ## the whole product, from Alibaba's stand-in to the notification
	$(BIN)/pytest tests/e2e

# one run of pytest, so that one broker serves all tests that want one
test: $(STATIC) kafka-fetch ## all there is to check, and all tests: what CI runs
	$(BIN)/pytest

bench: $(READY) ## measure the notifier beside what its users could run instead
	$(BIN)/python -m benchmarks.notifier_rate

bench-store: $(READY) ## the local store at a million orders beside the bare read of the same log (ORDERS=10000000 for more)
	$(BIN)/python -m benchmarks.store_scale --orders $(ORDERS)

bench-outage: $(READY) ## Alibaba is away for an hour and 200,000 shipments wait: memory, writes, what happens after
	$(BIN)/python -m benchmarks.outage

bench-shut-store: $(READY) ## one store cannot send, 50,000 of its shipments stand in line: the other one's rate beside the same alone
	$(BIN)/python -m benchmarks.shut_store

bench-import: $(READY) ## the import of 10,000 orders beside a bare loop that makes the same calls; its memory
	$(BIN)/python -m benchmarks.import_rate

bench-proof: $(READY) ## proofs a second of one core, beside a plain Pillow script and a headless browser
	$(BIN)/python -m benchmarks.proof_rate

sim: $(READY) ## many seeds of the simulated world: crashes, pauses, late calls (SEEDS=10000)
	$(BIN)/python -m tests.simulation --seeds $(SEEDS)

fire: $(READY) ## the real thing under kill -9, SIGSTOP, a dying broker and a misbehaving Alibaba (RUNS=5)
	$(BIN)/python -m tests.fire --runs $(RUNS)

gallery: $(READY) ## draw proofs of every kind to look at (.run/gallery/index.html)
	$(BIN)/python -m tests.gallery

# --- run ---------------------------------------------------------------------------------------

demo: $(READY) ## see it work on this machine
	$(BIN)/waybill demo

kafka-start: $(READY) ## start the development broker (Java and Maven; data in .run/kafka)
	$(BIN)/waybill kafka start

kafka-stop: $(READY) ## stop the development broker
	$(BIN)/waybill kafka stop

up: $(READY) ## keep it all running in the background: Kafka, the stand-in for Alibaba.com, the services
	$(BIN)/waybill up

down: $(READY) ## stop what `make up` started; its data stays
	$(BIN)/waybill down

.PHONY: kafka-fetch gallery help setup lock clean fmt lint types imports contracts docs docs-check test-unit check \
	test-integration test-e2e test bench bench-store bench-outage bench-shut-store bench-import bench-proof sim fire demo \
	kafka-start kafka-stop up down
