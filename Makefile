# Every command first creates the virtual environment .venv with the pinned requirements, if necessary.
PYTHON ?= python3
VENV := .venv
READY := $(VENV)/.ready

.PHONY: run check test audit

run: $(READY)
	$(VENV)/bin/python -m streamlit run app/main.py

check: $(READY)
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/ty check core --python $(VENV)
	$(VENV)/bin/codespell

# One process per core and one more, at most four, of 1 to 2 GB each. Each begins with its share of the tests in their
# order, so that what they have in common is loaded once, and takes over some of another's when its own are done.
test: $(READY)
	$(VENV)/bin/python -m pytest -n auto --maxprocesses 4 --dist worksteal

# Known vulnerabilities of the pinned requirements; needs the network, so it is no part of the checks.
audit: $(READY)
	$(PYTHON) -m venv build/audit
	build/audit/bin/python -m pip install --quiet pip-audit
	build/audit/bin/pip-audit --requirement requirements.txt

$(READY): requirements.txt
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --upgrade pip
	$(VENV)/bin/python -m pip install --quiet -r requirements.txt
	touch $(READY)
