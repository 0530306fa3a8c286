PYTHON ?= python3
BIN = .venv/bin
READY = .venv/ready

.PHONY: demo test acceptance check lint lock clean

demo: $(READY)          ## review a real package with a team of real tools
	$(BIN)/hustings demo

test: $(READY)          ## the whole test suite, warnings as errors
	$(BIN)/pytest -n 2 --dist worksteal

acceptance: $(READY)    ## review six real packages in full; the first time they are fetched
	$(BIN)/python -m tests.acceptance

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/basedpyright

check: lint test        ## what CI runs

lock: $(READY)          ## refresh the pins (needs uv on PATH)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--extra demo --extra openai --extra mcp --extra otel --group dev pyproject.toml -o requirements.txt

clean:
	rm -rf .venv .hustings build *.egg-info

$(READY): requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "hustings needs Python 3.11 or newer, this is " + sys.version)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $(READY)
