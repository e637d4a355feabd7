# Two Descents. `make demo` and `make test` need only Python 3.11 and make.
PYTHON ?= python3.11
VENV ?= .venv
BIN := $(VENV)/bin
PICTURES := studies/docs/pictures
PICTURED := quickstart noise-sources ruggedness trails populations tuned claims
ASKED := break-even temperature recombination moving-optimum valleys saddles unbiased population-as-rate steady-state flatness tem-evolution
CHAPTER := batch-bound outlier-steps batch-time accumulation stragglers stale-rates canyons clipping annealing relative-fitness pairs games darwin
RUN := PYTHONDONTWRITEBYTECODE= OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 NUMBA_NUM_THREADS=1 MKL_CBWR=COMPATIBLE $(BIN)/python

.PHONY: help demo test lint verify bench gpu docs figures gallery clean

help:  ## list what a contributor can do
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-8s %s\n", $$1, $$2}'

$(VENV)/installed: pyproject.toml constraints.txt
	@echo "setting up $(VENV): two minutes, without a word"
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet -c constraints.txt --editable ".[test]"
	@touch $@

$(VENV)/bench: $(VENV)/installed
	$(BIN)/pip install --quiet -c constraints.txt --editable ".[test,bench]"
	@touch $@

demo: $(VENV)/installed  ## set up, then run the quickstart study (three minutes on 2 cores)
	$(BIN)/python -m studies.run quickstart

test: $(VENV)/installed  ## set up, then run all everyday tests, on all cores
	$(RUN) -m pytest -n auto --dist worksteal

lint: $(VENV)/installed  ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

verify: $(VENV)/installed  ## the slow statistics, all the kill tests, and the table of laws
	rm -rf results/truths
	TRUTHS=results/truths $(RUN) -m pytest -n auto --dist worksteal -m "verify or truth"
	$(RUN) -m tests.truths.table results/truths

bench: $(VENV)/bench  ## time ourselves beside our peers, ratios in one run
	$(RUN) -m pytest -o addopts=--import-mode=importlib -W default tests/benchmarks --benchmark-columns=median,iqr,rounds --benchmark-sort=name

gpu: $(VENV)/installed  ## what a GPU computes, and how fast; eight minutes, on a machine that has one
	$(RUN) -m tests.benchmarks.gpu

$(VENV)/docs: $(VENV)/installed
	$(BIN)/pip install --quiet -c constraints.txt --editable ".[test,docs]"
	@touch $@

docs: $(VENV)/docs  ## write the lists of the README and of studies/docs anew, and the site results/site/html
	$(RUN) -m tests.docs.make
	$(RUN) -m tests.docs.site

figures: $(VENV)/installed  ## run the studies of the documentation's pictures, and draw these anew
	for study in $(PICTURED); do $(BIN)/python -m studies.run $$study || exit 1; done
	for study in $(ASKED) $(CHAPTER); do $(BIN)/python -m studies.run $$study --strict || exit 1; done
	for study in $(ASKED); do cp results/$$study/figures/answer.png $(PICTURES)/$$study.png; done
	for study in $(CHAPTER); do cp results/$$study/figures/law.png $(PICTURES)/$$study.png; done
	cp results/valleys/figures/map.png $(PICTURES)/valleys-map.png
	cp results/recombination/figures/generations.png $(PICTURES)/recombination-generations.png
	cp results/quickstart/figures/convergence.png $(PICTURES)/quickstart.png
	cp results/noise-sources/figures/noise_sources.png $(PICTURES)/noise-sources.png
	for figure in quickstart/ecdf ruggedness/phase ruggedness/break_even trails/trajectories populations/price tuned/sensitivity claims/claims; do \
	  cp results/$${figure%/*}/figures/$${figure#*/}.png $(PICTURES)/; done

gallery: $(VENV)/installed  ## draw every landscape anew, two minutes
	$(RUN) -m studies.probe --gallery --out results/gallery
	cp results/gallery/gallery-bbob.png $(PICTURES)/gallery-bbob.png

clean:  ## remove the environment and the caches
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
