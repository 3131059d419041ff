# `make demo` and `make test` do all the set-up: they need python3 (3.11 or newer, with venv) and make.
PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
export PORTAL_MODE ?= demo

.PHONY: demo reset test prove mutants bench lighthouse audit lock clean

demo: .venv/run.stamp ## the portal with a demo farm on http://127.0.0.1:8000
	@PORT=$(PORT) $(BIN)/python -m portal.demo

reset: ## forget the demo farm; the next `make demo` plants a new one
	rm -rf var

test: .venv/dev.stamp ## every check and test that this machine can run
	$(BIN)/python -m tests.run

prove: .venv/dev.stamp ## the same, races and crashes with many rounds
	PORTAL_PROVE_ROUNDS=20 $(BIN)/python -m tests.run

bench: .venv/dev.stamp ## how fast it is, beside a bare Flask page; BENCH="--backend postgresql" and more
	$(BIN)/python -m tests.benchmarks $(BENCH)

lighthouse: .venv/dev.stamp tests/lighthouse/node_modules ## its scores of each page; PAGES=planning for some (npm, Chromium)
	$(BIN)/python -m tests.lighthouse $(PAGES)

mutants: .venv/dev.stamp ## what the tests of the rules would not notice; MUTANTS="portal.rules.terms*" for some of it
	nice -n 19 $(BIN)/mutmut run --max-children 1 $(if $(MUTANTS),"$(MUTANTS)")
	$(BIN)/mutmut results

audit: .venv/dev.stamp ## known weaknesses of what serves; what cannot be looked up is one
	$(BIN)/pip-audit --strict --disable-pip --require-hashes -r requirements/run.txt

lock: .venv/dev.stamp ## pin the dependencies of pyproject.toml with their hashes
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml -o requirements/run.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header pyproject.toml --group dev -o requirements/dev.txt

clean:
	rm -rf .venv tests/lighthouse/node_modules mutants .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; set PYTHON=…" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv

.venv/run.stamp: requirements/run.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

.venv/dev.stamp: requirements/dev.txt | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@ .venv/run.stamp

tests/lighthouse/node_modules: tests/lighthouse/package-lock.json
	npm ci --prefix tests/lighthouse --no-audit --no-fund
	@touch $@
