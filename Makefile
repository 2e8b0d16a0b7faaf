# `make book` builds the site into _build/html; `make test` builds it if need be and tests it.
PYTHON ?= python3
VENV := .venv
# A module is compiled when it is first imported, which most never are.
INSTALL := $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-compile
export PYTHONDONTWRITEBYTECODE :=

LIBRARY := $(addprefix tests/,features search experiments page test_synth.py test_recording.py \
	test_parameters.py)

.PHONY: book test library picture bench study convergence charts recordings dimensions ablation encoder slides pdf colab colab-new-scipy binder lint \
	oldest newest links serve clean

book: $(VENV)/.book
	$(VENV)/bin/python tools/build.py
	$(VENV)/bin/python tools/preview.py

# The README's picture is the one that the build made last.
picture: book
	cp _build/preview.png book/preview.png

# Two processes take one file of tests after another.
PYTEST := $(VENV)/bin/python -m pytest -n 2 --dist loadfile
test: library
	@echo "The book: it is built, if need be; then its claims, its pages, the ways to run it."
	$(MAKE) book
	$(PYTEST) tests $(LIBRARY:%=--ignore %) --ignore tests/test_bad_input.py

library: $(VENV)/.dev
	@echo "The library; then bad input, with no types enforced but those that a reader meets."
	$(PYTEST) $(LIBRARY)
	DTFA_NO_HOOK=1 $(VENV)/bin/python -m pytest tests/test_bad_input.py

# What the record of the comparison lacks; LOSS=name runs one loss anew, LOSS=all everything: about
# five hours of one core, shared among all.
study: $(VENV)/.book
	OMP_NUM_THREADS=1 $(VENV)/bin/python tools/study.py $(if $(LOSS),--loss "$(LOSS)")

# Evaluations of textbook solvers; the explorer's losses; matches and searches of chapter 8.
convergence charts recordings dimensions: $(VENV)/.book
	OMP_NUM_THREADS=1 $(VENV)/bin/python -c "from utils.experiments import $@; $@.write()"

# Three minutes on a GPU; an hour or more on two cores.
ablation: $(VENV)/.book
	$(VENV)/bin/python tools/ablation.py

encoder: $(VENV)/.book
	$(VENV)/bin/python tools/encoder.py

bench: $(VENV)/.dev
	$(VENV)/bin/python tools/bench.py

# Every chapter where readers run it; Colab's scipy may be too new for the released Kymatio.
colab: $(VENV)/.dev
	$(VENV)/bin/python tools/colab.py

colab-new-scipy: $(VENV)/.dev
	$(VENV)/bin/python tools/colab.py --scipy 1.17.1

binder: $(VENV)/.dev
	$(VENV)/bin/python tools/colab.py --at binder

lint: $(VENV)/.dev
	$(VENV)/bin/ruff check . && $(VENV)/bin/ruff format --check .
	$(VENV)/bin/nbstripout --verify --keep-id book/*.ipynb
	$(VENV)/bin/codespell
	$(VENV)/bin/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml

# The library with the oldest and the newest of what it imports, in an environment of its own.
# (scrapl-loss asks for a newer torch than its operators need.)
oldest newest:
	@sh tools/check_python.sh $(PYTHON)
	$(PYTHON) -m venv --clear _build/$@
	_build/$@/bin/python -m pip install --quiet -r tests/$@.txt
	_build/$@/bin/python -m pip install --quiet --no-deps \
		$$(grep -o '^scrapl-loss[^ ]*' requirements.txt)
	_build/$@/bin/python -m pytest $(LIBRARY)

# Links from the README and all pages to the outside. No page is executed for it.
links: $(VENV)/.book
	$(VENV)/bin/jupyter-book config sphinx .
	$(VENV)/bin/sphinx-build -q -b linkcheck \
		-D external_toc_exclude_missing=0 . _build/links

slides: book $(VENV)/.dev
	$(VENV)/bin/python tools/slides.py

# The book on paper: _build/html/book.pdf.
pdf: book $(VENV)/.dev
	$(VENV)/bin/python tools/print.py

serve: book
	$(VENV)/bin/python -m http.server --directory _build/html

clean:
	rm -rf _build $(VENV) conf.py

# A stamp stands for a finished installation: one that was interrupted starts afresh.
$(VENV)/.book: requirements.txt tools/check_python.sh
	@sh tools/check_python.sh $(PYTHON)
	$(PYTHON) -m venv --clear $(VENV)
	$(INSTALL) -r requirements.txt
	@touch $@

$(VENV)/.dev: $(VENV)/.book requirements-dev.txt
	$(INSTALL) -r requirements-dev.txt
	@touch $@
