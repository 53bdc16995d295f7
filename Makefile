# Two commands do everything on a fresh machine: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
PLUGINS := $(patsubst %/pyproject.toml,%,$(wildcard plugins/*/pyproject.toml))
READY := .venv/.ready
PYTEST := OMP_NUM_THREADS=1 $(BIN)/pytest -q -n 2 --dist worksteal
QUICK := -m "not slow" tests vaehub

.PHONY: demo test quick oldest lint format clean

demo: $(READY)
	$(BIN)/vaehub train configs/mnist.yaml --output runs/mnist --force

test: $(READY)
	$(PYTEST)

quick: $(READY)
	$(PYTEST) $(QUICK)

oldest: .venv-oldest/.ready
	$(subst $(BIN),.venv-oldest/bin,$(PYTEST)) $(QUICK) plugins/*/tests/test_*conformance.py

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	for plugin in $(notdir $(PLUGINS)); do $(BIN)/mypy --strict -p vaehub_$$plugin || exit 1; done

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

$(READY): pyproject.toml constraints/py311.txt $(addsuffix /pyproject.toml,$(PLUGINS))
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -c constraints/py311.txt -e '.[dev]' $(addprefix -e ,$(PLUGINS))
	touch $(READY)

.venv-oldest/.ready: pyproject.toml constraints/oldest.txt $(addsuffix /pyproject.toml,$(PLUGINS))
	$(PYTHON) -m venv .venv-oldest
	.venv-oldest/bin/pip install -q -c constraints/oldest.txt -e '.[dev]' $(addprefix -e ,$(PLUGINS))
	touch $@

clean:
	rm -rf .venv .venv-oldest runs
