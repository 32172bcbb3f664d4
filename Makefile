# The commands of a developer. Everything happens in .venv, with the versions of constraints.txt.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TASK ?= slot_filling
SEEDS ?= 5

.PHONY: demo test lint results clean

demo: $(VENV)/installed  ## train slot filling on the embedded sample, and show what came out
	$(BIN)/seqloom run slot_filling --run_dir runs/demo --fresh
	@echo "The report: $(CURDIR)/runs/demo/report.html"

# The tests of a file stay in one process, which trains and traces once for all of them; files come in the order of
# their names, in which the longest are not last.
PYTEST := $(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

test: $(VENV)/installed-test  ## all tests; those on real corpora run where SEQLOOM_DATA_DIR is set
	$(PYTEST)

lint: $(VENV)/installed-dev seqloom  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

results: $(VENV)/installed  ## the rows of RESULTS.md for one task: make results TASK=slot_filling SEEDS=5
ifeq ($(wildcard pipelines/$(TASK)/model.py),)  # a study: one run at length
	$(BIN)/seqloom run $(TASK) --set study=full --run_dir runs/results/$(TASK)/full
else
	for config in $(filter-out %/tiny.yaml %/sample.yaml,$(wildcard pipelines/$(TASK)/configs/*.yaml)); do \
	  name=$$(basename $$config .yaml); \
	  $(BIN)/seqloom run $(TASK) --config $$config --seeds $(SEEDS) --run_dir runs/results/$(TASK)/$$name || exit 1; \
	done
endif

clean:  ## remove what the commands above made, except trained runs
	rm -rf $(VENV) build *.egg-info seqloom .coverage .mypy_cache .pytest_cache .ruff_cache .hypothesis

# mypy looks for the package by its name; the checkout may be called anything.
seqloom:
	ln -sfn . seqloom

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --upgrade pip

$(VENV)/installed: setup.cfg constraints.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --constraint constraints.txt --editable .
	touch $@

$(VENV)/installed-test: setup.cfg constraints.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[test]'
	touch $@ $(VENV)/installed

$(VENV)/installed-dev: setup.cfg constraints.txt | $(VENV)/bin/python
	$(BIN)/pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $@ $(VENV)/installed $(VENV)/installed-test
