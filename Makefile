# `make book` builds the site into _build/html; `make test` builds it if need be and tests it.
PYTHON ?= python3
VENV := .venv

.PHONY: book test bench study lint serve clean

book: $(VENV)/.book
	$(VENV)/bin/python tools/build.py

test: book $(VENV)/.dev
	$(VENV)/bin/python -m pytest

study: $(VENV)/.book
	$(VENV)/bin/python tools/study.py

bench: $(VENV)/.dev
	$(VENV)/bin/python tools/bench.py

lint: $(VENV)/.dev
	$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check .
	$(VENV)/bin/nbstripout --verify --keep-id book/*.ipynb

serve: book
	$(VENV)/bin/python -m http.server --directory _build/html

clean:
	rm -rf _build $(VENV)

# A stamp stands for a finished installation: one that was interrupted starts afresh.
$(VENV)/.book: requirements.txt tools/check_python.sh
	@sh tools/check_python.sh $(PYTHON)
	$(PYTHON) -m venv --clear $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.book requirements-dev.txt
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@
