PYTHON ?= python3
BIN = .venv/bin
READY = .venv/ready
TREE = .venv/typings/hustings # the package as it is installed, in links, where type checkers find it

.PHONY: demo test test-fast test-long acceptance check lint coverage docs api lock release clean

WORKERS ?= 4 # more than cores: much of the time is waiting
PYTEST = $(BIN)/pytest --durations=15
ABREAST = $(PYTEST) -n $(WORKERS) --dist worksteal

demo: $(READY)          ## review a real package with a team of real tools
	$(BIN)/hustings demo

test: $(READY)          ## the test suite but for what takes long; then, alone, what measures time; warnings as errors
	$(ABREAST) -m "not long and not timing"
	$(PYTEST) -m "timing and not long"

test-fast: $(READY)     ## what starts no processes but a broker: under a minute
	HUSTINGS_SIM_SEEDS=50 $(PYTEST) -n 2 --dist worksteal -m "not processes and not long and not timing"

test-long: $(READY)     ## what takes long: crashes everywhere, the demo, more seeds, the types of the wheel; then, alone, what measures time
	$(ABREAST) -m "long and not timing"
	$(PYTEST) -m "long and timing"

acceptance: $(READY)    ## review twenty packages in environments of their own; the first time they are fetched
	$(BIN)/python -m tests.acceptance

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/basedpyright

check: lint test test-long ## what CI runs

coverage: $(READY)      ## lines and branches that the tests reach within the test processes
	$(BIN)/pytest -q -n $(WORKERS) --cov --cov-report=term -m "not long and not timing" \
		tests/protocols tests/bus tests/agents

docs: $(READY)          ## write docs/settings.md from the code
	$(BIN)/python -m hustings.agents.cli.reference > docs/settings.md

api: $(READY)           ## write tests/public/ anew: names and signatures of the front doors, and the messages
	$(BIN)/python -m tests.public

release: $(READY)       ## all of a release but the upload, on each Python that is here
	$(BIN)/python -m tests.release

lock: $(READY)          ## refresh the pins (needs uv on PATH)
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
		--extra demo --extra dev --extra openai --extra mcp --extra otel --group dev pyproject.toml -o requirements.txt

clean:
	rm -rf .venv .hustings build dist *.egg-info

$(READY): requirements.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "hustings needs Python 3.11 or newer, this is " + sys.version)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	mkdir -p $(TREE)
	ln -sfn $(addprefix ../../../,agents bus examples protocols hustings/py.typed $(wildcard hustings/*.py)) $(TREE)
	touch $(READY)
