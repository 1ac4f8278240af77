# Every command first creates the virtual environment .venv with the pinned requirements, if necessary.
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready

.PHONY: run check test

run: $(READY)
	$(VENV)/bin/python -m streamlit run app/main.py

check: $(READY)
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/ty check core --python $(VENV)
	$(VENV)/bin/codespell

test: $(READY)
	$(VENV)/bin/python -m pytest

$(READY): requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --upgrade pip
	$(VENV)/bin/python -m pip install --quiet -r requirements.txt
	touch $(READY)
