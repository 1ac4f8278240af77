# Both commands set everything up by themselves: a virtual environment in .venv with the pinned requirements.
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready

.PHONY: run test

run: $(READY)
	$(VENV)/bin/python -m streamlit run app/main.py

test: $(READY)
	$(VENV)/bin/python -m pytest

$(READY): requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --upgrade pip
	$(VENV)/bin/python -m pip install --quiet -r requirements.txt
	touch $(READY)
