# Every target makes its own set-up: on a machine with Python >= 3.11 and make alone, `make chat` and `make test` work.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
PEERS  := .venv-peers
READY  := $(VENV)/.ready
SEEDS  := $(VENV)/seeds-index

# The prepared model lies inside .venv, never in the user's cache.
export GROUNDWIRE_CACHE ?= $(abspath $(VENV))/cache/groundwire

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: strace chromium help setup ask chat eval gate test check format bench bench-embed bench-scale bench-http bench-page picture bench-public bench-peers bench-chunkers wheel clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

setup: $(READY) ## Create .venv, install everything, prepare the model

$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --disable-pip-version-check -c constraints.txt -e '.[dev]'
	$(BIN)/groundwire prepare
	@touch $@

# An index of seeds/ of its own, never the user's; made anew when index/ has changed, which may cut or store otherwise.
$(SEEDS)/CURRENT: seeds/articles.jsonl $(wildcard index/*.py index/readers/*.py) $(READY)
	@rm -rf $(SEEDS)
	$(BIN)/groundwire ingest --index $(SEEDS) seeds/articles.jsonl

ask: export QUESTION = $(value Q)
ask: $(SEEDS)/CURRENT ## Ask the sample articles: make ask Q="Who pledged what in Paris?"
	@test -n "$$QUESTION" || { echo 'make ask: no question; write make ask Q="Who pledged what in Paris?"' >&2; exit 2; }
	@$(BIN)/groundwire ask --index $(SEEDS) -- "$$QUESTION" || test $$? -eq 1  # 1 is a refusal: an answer, no error

chat: $(SEEDS)/CURRENT ## Chat with the sample articles in the browser (in the terminal: groundwire chat)
	@$(BIN)/groundwire serve --index $(SEEDS)

eval: $(READY) ## Score the own cases over the sample articles, and write a report
	$(BIN)/groundwire eval --html

# After a change for the better: `groundwire eval --write-gates new.toml`, and of each gate keep the higher.
# One thread: the batches are small, and a second one waits for the first wherever the machine is busy.
gate: $(READY) ## Fail when an own case suite scores below eval/gates.toml
	OMP_NUM_THREADS=1 $(BIN)/groundwire eval --gate eval/gates.toml --runs $(VENV)/runs --failures 0

# The tests that watch system calls need strace; where it cannot be installed, they say so.
strace:
	@command -v strace >/dev/null || (apt-get update && apt-get install -y strace) || echo 'no strace: its tests skip'

# The tests of the page need Debian's Chromium and the browser packages of the test extra.
chromium:
	@command -v chromium >/dev/null || (apt-get update && apt-get install -y chromium) || echo 'no chromium: its tests skip'

test: $(READY) strace chromium ## Run the tests
	$(BIN)/python -m pytest

check: $(READY) strace chromium ## Check format, lint and types, run the tests, then check the gates of quality
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest
	$(MAKE) gate

format: $(READY) ## Format the code, and mend what lint can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY) ## Measure speed and quality, and print the table
	$(BIN)/python -m tests.bench.run --cache $(GROUNDWIRE_CACHE)

bench-embed: $(READY) ## Measure the embedder beside sentence-transformers: make bench-embed [DATA=FOLDER], with SQuAD for its quality
	$(BIN)/python -m tests.bench.embed $(if $(DATA),--data "$(DATA)")

bench-scale: $(READY) ## Measure how the index grows: make bench-scale [SIZES="1000 10000 50000"] [EMBEDDER=stub] [KEEP=FOLDER] (a quarter of an hour)
	$(BIN)/python -m tests.bench.scale --cache $(GROUNDWIRE_CACHE) $(if $(SIZES),--sizes $(SIZES)) $(if $(EMBEDDER),--embedder $(EMBEDDER)) $(if $(KEEP),--keep "$(KEEP)")

bench-http: $(READY) ## Measure the HTTP service under load (some minutes)
	$(BIN)/python -m tests.bench.http

bench-page: $(READY) chromium ## Measure the chat page in Chromium, and print the table
	$(BIN)/python -m tests.bench.page

picture: $(SEEDS)/CURRENT chromium ## Make docs/page.png, the picture of the page, anew
	$(BIN)/python -m tests.browser.picture $(SEEDS) docs/page.png

bench-public: $(READY) ## Run public sets: make bench-public DATA=FOLDER [LIMIT=100]; docs/benchmarks.md says how to get them
	@test -n "$(DATA)" || { echo 'make bench-public: no folder; write make bench-public DATA=FOLDER' >&2; exit 2; }
	$(BIN)/python -m eval.benchmarks --data "$(DATA)" $(if $(LIMIT),--limit $(LIMIT))

$(PEERS)/.ready: tests/bench/peers/requirements.txt
	$(PYTHON) -m venv $(PEERS)
	$(PEERS)/bin/python -m pip install --disable-pip-version-check -r $<
	@touch $@

bench-peers: $(READY) $(PEERS)/.ready ## Run LlamaIndex, Haystack and txtai beside us: make bench-peers [DATA=FOLDER] [SMALL=1] [EQUAL=1] [ROUNDS=3]
	$(BIN)/python -m tests.bench.peers.run --peers $(PEERS)/bin/python $(if $(DATA),--data "$(DATA)") $(if $(SMALL),--small) $(if $(EQUAL),--equal) $(if $(ROUNDS),--rounds $(ROUNDS))

bench-chunkers: $(READY) $(PEERS)/.ready ## Judge the chunkers of others beside ours: make bench-chunkers DATA=FOLDER [PART=all] (half an hour)
	@test -n "$(DATA)" || { echo 'make bench-chunkers: no folder; write make bench-chunkers DATA=FOLDER, which holds corpora/' >&2; exit 2; }
	model=$$($(BIN)/python -c 'from index.embed import bundled_model_folder; print(bundled_model_folder())') && \
	HAYSTACK_TELEMETRY_ENABLED=False HF_HUB_OFFLINE=1 $(PEERS)/bin/python -m tests.bench.peers.chunkers --model "$$model" "$(DATA)"/corpora/*.md > $(PEERS)/chunks.jsonl
	$(BIN)/python -m eval.benchmarks chunking --data "$(DATA)" --chunks $(PEERS)/chunks.jsonl $(if $(PART),--part $(PART))

wheel: $(READY) ## Build the source archive, and from it the wheel, into dist/
	$(BIN)/python -m build

clean: ## Remove what was built, but not .venv
	rm -rf build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .hypothesis $(SEEDS)
	find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
