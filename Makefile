# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
PLUGINS := $(patsubst %/pyproject.toml,%,$(wildcard plugins/*/pyproject.toml))
READY := .venv/.ready

.PHONY: demo test lint format clean

demo: $(READY)
	$(BIN)/vaehub train configs/mnist.yaml --out runs/mnist --force

test: $(READY)
	OMP_NUM_THREADS=1 $(BIN)/pytest -q -n 2 --dist worksteal

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(READY): pyproject.toml constraints/py311.txt $(addsuffix /pyproject.toml,$(PLUGINS))
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -c constraints/py311.txt -e '.[dev]' $(addprefix -e ,$(PLUGINS))
	touch $(READY)

clean:
	rm -rf .venv runs
