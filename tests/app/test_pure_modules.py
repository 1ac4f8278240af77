"""The imports of the app: modules without Streamlit, folders without cycles, views without logic."""

from __future__ import annotations

import pytest

from core.paths import PROJECT
from tests.test_architecture import imported, modules, package, reached

PURE = sorted(
    {m for m in modules() if m.startswith(("app.forms.", "app.text.")) or m.endswith(".charts")}
    | {
        "app.benchmarks.columns",
        "app.benchmarks.protocols",
        "app.components.periodic_table.exchange",
        "app.components.periodic_table.table_state",
        "app.components.structure_viewer.scene",
        "app.design.problem_errors",
        "app.generate.asked",
        "app.generate.rows",
        "app.models.card_text",
        "app.models.descriptions",
        "app.predict.assessment",
        "app.predict.query",
        "app.results.filters",
        "app.results.funnel",
        "app.results.summary_text",
        "app.results.variants",
        "app.runs.phases",
        "app.runs.progress_html",
        "app.state.draft",
        "app.state.draft_changes",
        "app.state.problem_file",
        "app.state.url",
        "app.structures.generated",
        "app.structures.listed",
    }
)


@pytest.mark.parametrize("module", PURE)
def test_a_pure_module_imports_no_streamlit(module):
    assert "streamlit" not in reached(module)


def test_the_folders_of_the_app_form_no_cycle():
    folders = {package(m): set() for m in modules() if m.startswith("app.")}
    for module in modules():
        if module.startswith("app."):
            folders[package(module)] |= {package(m) for m in imported(module) if m.startswith("app.")}
    waiting = {folder: used - {folder, "app"} for folder, used in folders.items()}
    while free := [folder for folder, used in waiting.items() if not used & set(waiting)]:
        for folder in free:
            del waiting[folder]
    assert not waiting


def test_the_search_finds_streamlit_behind_an_import():
    assert "streamlit" in reached("app.design.constraints") and "streamlit" in reached("app.results.page")


def test_views_only_call_their_page():
    views = sorted((PROJECT / "app" / "views").glob("*.py"))
    assert len(views) == 12
    for view in views:
        lines = [line for line in view.read_text(encoding="utf-8").splitlines() if line]
        assert len(lines) == 2 and lines[0].startswith("from app.") and lines[1] == "page()"
