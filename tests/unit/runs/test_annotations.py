"""Stars and notes: stored, removed, kept apart from the runs, and never lost to a damaged file."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest

from core.errors import InputError
from core.runs import store
from core.runs.annotations import ANNOTATIONS, NOTE_CHARACTERS, Annotation, annotate, annotations


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TC_STUDIO_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


def test_annotations_are_stored_by_formula_and_empty_ones_removed(folder):
    assert annotations() == {}
    annotate("MgB3", Annotation(True, "ask Anna — 40 K?"))
    annotate("CaB2", Annotation(note="=1+1"))
    assert annotations() == {"MgB3": Annotation(True, "ask Anna — 40 K?"), "CaB2": Annotation(False, "=1+1")}
    annotate("MgB3", Annotation())
    assert annotations() == {"CaB2": Annotation(False, "=1+1")} and store.list_runs() == []
    assert stat.S_IMODE((folder / ANNOTATIONS.file).stat().st_mode) == 0o600


def test_annotations_at_the_same_time_are_all_kept(folder):
    formulas = [f"MgB{i}" for i in range(2, 22)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda formula: annotate(formula, Annotation(True)), formulas))
    assert sorted(annotations()) == sorted(formulas)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("{", "not valid JSON"),
        ("[]", "no “compositions”"),
        ('{"compositions": {"MgB2": {"starred": 1, "note": ""}}}', "true or false"),
        ('{"compositions": {"MgB2": true}}', "JSON object"),
        (f'{{"compositions": {"[" * 60}{"]" * 60}}}', "deep"),
    ],
)
def test_a_damaged_file_is_reported_and_not_replaced(folder, text, wrong):
    folder.mkdir()
    (folder / ANNOTATIONS.file).write_text(text)
    for action in (annotations, lambda: annotate("MgB2", Annotation(True))):
        with pytest.raises(InputError, match=wrong):
            action()
    assert (folder / ANNOTATIONS.file).read_text() == text


def test_limits(folder, monkeypatch):
    with pytest.raises(InputError, match="at most 2,000 characters"):
        Annotation(note="x" * (NOTE_CHARACTERS + 1))
    for formula in ("", "B" * 2001):
        with pytest.raises(InputError, match="no formula"):
            annotate(formula, Annotation(True))
    monkeypatch.setattr("core.runs.shared_json.DOCUMENT_BYTES", 100)
    with pytest.raises(InputError, match="would need more than"):
        annotate("MgB2", Annotation(note="x" * 100))
