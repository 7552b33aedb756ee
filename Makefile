# Two commands: `make demo` and `make test`. Both need only Python 3.11+ with pip. `make help` lists the others.
PYTHON ?= python3
UV := .uv/bin/uv
BIN := .venv/bin
NODE := .node/node_modules/.bin
PAGE_FILES := "app/ui/**/*.{js,css,html}" training/single_page/page.js training/single_page/page.css

# Integration tests wait for processes half of the time, so three of them keep two processors busy; unit tests compute.
# Work is stolen, not dealt out: the tests of a module mostly stay together, and share what the module sets up.
JOBS ?= 3
UNIT_JOBS ?= 2
PYTEST = $(BIN)/pytest --dist worksteal -n
# A part of the tests: make quick FOLDER=tests/unit/app ARGS="-k archive"
FOLDER ?=
ARGS ?=

.PHONY: demo test test-rest quick test-unit test-integration test-page check check-others check-page page-pictures test-deploy types format lock engine clean

demo: .venv/runtime
	$(BIN)/imagemill demo --force

# The tests of the page wait for a browser half of the time, so they run beside the others.
test: check
	$(if $(FOLDER),$(PYTEST) $(JOBS) $(FOLDER) $(ARGS),$(MAKE) -j 2 -k --no-print-directory test-rest test-page)

test-rest: .venv/dev
	$(PYTEST) $(JOBS) tests --ignore tests/browser --ignore tests/containers $(ARGS)

# The tests of the page share one service and one browser, so they run in one process.
test-page: .venv/dev
	$(BIN)/pytest $(or $(FOLDER),tests/browser) $(ARGS)

# The pictures of docs/page.md: a service with jobs, styles and a short training; it takes some minutes.
page-pictures: .venv/dev
	$(BIN)/python -m tests.browser.page_pictures docs/pictures/page

# The Compose file on a real Docker engine: builds the images, starts the profiles, kills containers. It takes minutes.
test-deploy: .venv/dev
	$(BIN)/pytest -rs $(or $(FOLDER),tests/containers) $(ARGS)

# All checks, and the unit tests that take no seconds each and need no service.
quick: check
	$(PYTEST) $(UNIT_JOBS) -m "not slow and not integration" $(or $(FOLDER),tests/unit) $(ARGS)

test-unit: .venv/dev
	$(PYTEST) $(UNIT_JOBS) $(or $(FOLDER),tests/unit) $(ARGS)

test-integration: .venv/dev
	$(PYTEST) $(JOBS) $(or $(FOLDER),tests --ignore tests/unit --ignore tests/browser --ignore tests/containers) $(ARGS)

types: .venv/dev
	$(BIN)/mypy

# Types take longest, on one core.
check: .venv/dev
	$(MAKE) -j 2 --no-print-directory types check-others

check-others: .venv/dev check-page
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/lint-imports
	$(BIN)/python -c "import torch, torchvision; torchvision.ops.nms(torch.rand(2, 4), torch.rand(2), 0.5)"

# The types and the format of the page's JavaScript, where npm is at hand.
check-page:
	@if command -v npm > /dev/null && $(MAKE) -s .node/installed; \
	  then $(NODE)/tsc -p . && $(NODE)/prettier --check --log-level warn $(PAGE_FILES); \
	  else echo 'THE JAVASCRIPT OF THE PAGE WAS NOT CHECKED: npm is not here, or cannot install'; fi

.node/installed: requirements/page/package-lock.json
	mkdir -p .node && cp requirements/page/package*.json .node
	npm ci --prefix .node --no-audit --no-fund --silent --fetch-timeout=10000 --fetch-retries=1
	touch $@

format: .venv/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .
	@if test -e .node/installed; then $(NODE)/prettier --write --log-level warn $(PAGE_FILES); fi

# The engine of the page, by clang 14 of Debian 12: apt-get install clang lld. The same compiler gives the same bytes.
ENGINE := app/ui/live/engine
engine:
	clang --target=wasm32 -O3 -msimd128 -ffreestanding -fno-builtin -nostdlib -Wall -Wextra -Werror \
	  -Wl,--no-entry -Wl,--strip-all -Wl,-z,stack-size=4096 -o $(ENGINE).wasm $(ENGINE).c
	chmod 644 $(ENGINE).wasm

# The environment of users, and the same with the tools for tests. Each stamp is as new as its pins.
.venv/runtime: requirements/runtime.txt pyproject.toml | .venv/bin/python
	$(UV) pip install -q --python $(BIN)/python --require-hashes -r $<
	$(UV) pip install -q --python $(BIN)/python --no-deps -e .
	touch $@

.venv/dev: requirements/dev.txt pyproject.toml | .venv/bin/python
	$(UV) pip install -q --compile-bytecode --python $(BIN)/python --require-hashes -r $<
	$(UV) pip install -q --python $(BIN)/python --no-deps -e .
	touch $@ .venv/runtime

.venv/bin/python: | $(UV)
	$(UV) venv -q --python "$$($(PYTHON) -c 'import sys; print(sys.executable)')" .venv

$(UV): requirements/uv.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=...")'
	$(PYTHON) -m pip install -q --disable-pip-version-check --root-user-action=ignore --upgrade \
	  --target .uv --require-hashes -r $<
	touch $@

# Renew the pins. The dev set is solved first; the others are subsets of it.
COMPILE = $(UV) pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-emit-find-links --no-header
lock: $(UV)
	$(COMPILE) --upgrade --all-extras pyproject.toml -o requirements/dev.txt
	$(COMPILE) --extra torch --extra training --extra local --extra signing pyproject.toml -c requirements/dev.txt -o requirements/runtime.txt
	$(COMPILE) --extra torch pyproject.toml -c requirements/dev.txt -o requirements/worker.txt
	$(COMPILE) --extra signing pyproject.toml -c requirements/dev.txt -o requirements/api.txt
	echo uv | $(COMPILE) --upgrade - -o requirements/uv.txt

.PHONY: help
help:
	@echo 'make demo              install everything into .venv, make 500 faces, save them as faces.zip'
	@echo 'make test              all checks and all tests'
	@echo 'make quick             all checks and the fast unit tests; FOLDER=tests/unit/app takes a part'
	@echo 'make test-unit         all unit tests'
	@echo 'make test-integration  all tests with real processes'
	@echo 'make test-page         tests of the web page in Chromium'
	@echo 'make page-pictures     renew the pictures of the web page in the documents'
	@echo 'make test-deploy       the Compose file on a Docker engine: builds images, kills containers'
	@echo 'make check             formatting, lint, types, import rules, JavaScript where npm is at hand'
	@echo 'make types             types alone'
	@echo 'make format            format the code and fix what the lint can fix'
	@echo 'make lock              renew the pins of all packages'
	@echo 'make engine            compile the engine of the page; needs clang and lld'
	@echo 'make clean             remove .venv and .uv'

clean:
	rm -rf .venv .uv .node
