# Two commands do everything on a fresh Debian or Ubuntu machine: `make demo` and `make test`.

# The distribution's own Python first, where it can make environments: it starts in half the time of one that pyenv built.
PYTHON ?= $(shell for p in /usr/bin/python3 python3.13 python3.12 python3.11 python3; do \
	  command -v $$p >/dev/null 2>&1 && $$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	  && { test $$p != /usr/bin/python3 || $$p -c 'import ensurepip' 2>/dev/null; } && { command -v $$p; break; }; done)
BIN := .venv/bin
READY := .venv/.ready

.PHONY: demo test lint bench conformance docs pictures recording vendor system-packages test-packages clean

demo: system-packages $(READY) ## Raise the lab, run the main job on it, take it down
	$(BIN)/ringfence demo

test: test-packages $(READY) ## Everything that continuous integration checks
	@! pkg-config --exists libvirt 2>/dev/null || $(BIN)/python -c 'import libvirt' 2>/dev/null \
	  || $(BIN)/python -m pip install --quiet 'libvirt-python>=9.0'
	$(BIN)/python -m tests.checks

lint: $(READY) ## Format, lint, types, import contracts, shell scripts
	$(BIN)/python -m tests.checks ruff-format ruff mypy imports shellcheck

bench: test-packages $(READY) ## Run all benchmarks and write docs/benchmarks.md; GO_ON=1: those that can be measured here
	$(BIN)/python -m tests.bench all $(if $(GO_ON),--go-on)

conformance: system-packages $(READY) ## N=… kernel probes with fresh random policies, and properties with all their examples
	RINGFENCE_CONFORMANCE_PROBES=$(or $(N),20000) $(BIN)/python -m pytest tests/conformance
	RINGFENCE_EXAMPLES=full $(BIN)/python -m pytest -q tests/unit

docs: $(READY) ## The JSON schemas and the collection's reference pages
	$(BIN)/ringfence schema --output docs/schema
	$(BIN)/python -m tests.checks collection-docs

pictures: $(READY) ## The pictures of the application, drawn by itself on the demo estate
	$(BIN)/python docs/pictures/screens.py

recording: test-packages $(READY) ## The journey of the lab test as a film: docs/pictures/journey.cast, and its stills as journey.svg
	$(BIN)/python -m docs.pictures.journey docs/pictures

vendor: ## Copy what the engine and the collection share into the collection, and fetch the renderer of the map's page
	cp plugins/ringfence/wire/*.py collections/ansible_collections/ringfence/core/plugins/plugin_utils/wire/vendored/
	$(PYTHON) -m tests.vendored_renderer

system-packages:
	@sh .ci/system-packages

test-packages:
	@sh .ci/system-packages test

$(READY): pyproject.toml
	@test -n "$(PYTHON)" || { echo "Ringfence needs Python 3.11 to 3.13: apt-get install python3 python3-venv" >&2; exit 1; }
	@"$(PYTHON)" -c 'import ensurepip' 2>/dev/null || test "$$(id -u)" -ne 0 || apt-get install -y -qq python3-venv
	@"$(PYTHON)" -c 'import ensurepip' 2>/dev/null || { echo "Python's venv is missing. As root, run: apt-get install python3-venv" >&2; exit 1; }
	test -x $(BIN)/python || "$(PYTHON)" -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --editable '.[aws,ldap,proxmox,tui,vsphere,windows,xlsx]' --group dev
	@touch $@

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
