# Every target works on a fresh clone with Python >= 3.11, make and git.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
MANAGE := $(BIN)/python manage.py
# The date of a target's stamp says when its lock was last installed.
RUNTIME_STAMP := $(VENV)/.runtime-installed
DEV_STAMP     := $(VENV)/.dev-installed
PEERS         := benchmarks/.venv
PEERS_STAMP   := $(PEERS)/.peers-installed

.DEFAULT_GOAL := help
.PHONY: messages help run test bench reliability e2e nginx install install-dev lint lock demo clean

help: ## Show this list
	@grep -hE '^[a-z0-9-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

run: install ## Start with a demo school on http://localhost:8000 (HTTPS=1: for phones)
ifdef HTTPS
	@$(BIN)/python -m attendance_site.https_run
else
	@$(BIN)/python -m attendance_site.first_run
	@$(BIN)/python -m attendance_site.run
endif

test: install ## Run the tests (SQLite, no server needed)
	$(BIN)/pytest

install: $(RUNTIME_STAMP) ## Make .venv, install the lock, write .env with fresh keys
	@$(BIN)/python -m attendance_site.first_run --env-only

install-dev: install $(DEV_STAMP) ## Add the linters and the browser tests' tools

e2e: install-dev ## Run the pages in Chromium (apt-get install chromium)
	$(BIN)/pytest e2e

nginx: install ## Try the site behind nginx, alone and as two replicas (apt-get install nginx-light postgresql redis-server)
	$(BIN)/pytest deploy

bench: install $(PEERS_STAMP) ## Measure beside other libraries: benchmarks/results.md
	$(BIN)/python -m benchmarks

reliability: install ## Try to break it: benchmarks/reliability.md (needs nginx-light, postgresql, redis-server)
	$(BIN)/python -m benchmarks.reliability $(SIZES)

lint: install-dev ## Style, types, import rule, migrations, deployment checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy .
	$(BIN)/lint-imports
	$(MANAGE) makemigrations --check --dry-run
	DEBUG=0 PUBLIC_URL=https://attendance.example.org $(MANAGE) check --deploy --fail-level WARNING

demo: install ## Show the main job in the terminal
	@$(MANAGE) demo

# Only for those who change words: the catalogues are in git, compiled ones too.
messages: install-dev ## Collect and compile the words of the pages (apt-get install gettext)
	$(MANAGE) makemessages --all --no-obsolete --no-wrap --add-location file \
	  -i .venv -i staticfiles -i benchmarks -i docs -i e2e -i '*/tests/*'
	$(MANAGE) compilemessages -i .venv

# The flags that make one lock for every platform, without the name of an index.
LOCK := $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --python-version 3.11
# Only the libraries: the runtime itself and what it needs are in requirements.txt.
GPU_LOCK := $(BIN)/uv pip compile --quiet --generate-hashes --no-header --python-version 3.11 \
  --python-platform x86_64-manylinux_2_28 \
  $(addprefix --no-emit-package ,onnxruntime-gpu flatbuffers numpy packaging protobuf)
lock: install-dev ## Renew requirements.txt, requirements-dev.txt and requirements-gpu.txt
	@echo '# Install with: pip install --no-deps -r requirements.txt   (without --no-deps pip refuses the set)' > requirements.txt.new
	@$(LOCK) requirements.in --override requirements.overrides.in --upgrade >> requirements.txt.new
	@mv requirements.txt.new requirements.txt
	@$(LOCK) requirements-dev.in --upgrade --output-file requirements-dev.txt
	@echo '# After requirements.txt, with an NVIDIA GPU: pip install --no-deps -r requirements-gpu.txt' > requirements-gpu.txt.new
	@$(GPU_LOCK) requirements-gpu.in --upgrade >> requirements-gpu.txt.new
	@mv requirements-gpu.txt.new requirements-gpu.txt
	@echo "Renewed. Now run: make lint test"

clean: ## Remove what was built; the database and .env stay
	rm -rf $(VENV) staticfiles test.sqlite3* .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	  || { echo "Python 3.11 or newer is needed; this is $$($(PYTHON) --version 2>&1). Try: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@$(PYTHON) -m venv $(VENV) \
	  || { echo "Python's venv module is missing. On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }

$(RUNTIME_STAMP): requirements.txt | $(BIN)/python
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -r requirements.txt
	@touch $@

$(DEV_STAMP): requirements-dev.txt $(RUNTIME_STAMP)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps -r requirements-dev.txt
	@touch $@

# Other libraries get an environment of their own: theirs and ours do not fit into one.
$(PEERS_STAMP): benchmarks/requirements-peers.txt | $(BIN)/python
	@$(BIN)/python -m venv $(PEERS)
	$(PEERS)/bin/pip install --quiet --disable-pip-version-check --no-deps -r benchmarks/requirements-peers.txt
	@touch $@
