# One word for what is typed often. Everything here is also a plain command; CI runs ./cloudstead test.
TOOLS := .venv/bin
PYTEST := $(TOOLS)/python -m pytest
QUICK := $(wildcard tests/unit tests/contracts tests/sim tests/compat tests/parity tests/tidy)
SEEDS ?= 50

.PHONY: help check test format e2e sim docs

help:       ## this list
	@sed -n 's/^\([a-z0-9]*\):.*## /  make \1\t/p' Makefile

check:      ## all but the end-to-end tests
	$(TOOLS)/ruff format --check .
	$(TOOLS)/ruff check .
	$(TOOLS)/mypy
	$(TOOLS)/lint-imports
	$(PYTEST) $(QUICK)

test:       ## everything, as CI does
	./cloudstead test

format:     ## let ruff put right what it can
	$(TOOLS)/ruff check --fix .
	$(TOOLS)/ruff format .

e2e:        ## the real thing: boots a cloud, logs in, asks names
	$(PYTEST) tests/e2e

sim:        ## seeded worlds: make sim SEEDS=500, or SEED=20 to replay one
	CLOUDSTEAD_TEST_SEEDS=$(SEEDS) CLOUDSTEAD_TEST_SEED=$(SEED) $(PYTEST) tests/sim

docs:       ## write the parts of the docs that are made from the code
	$(TOOLS)/python -m tests.tidy.generated
	$(TOOLS)/python -m tests.compat.coverage
