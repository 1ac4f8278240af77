"""Imports run one way: from the page to the engine, and inside the engine back along the line of the data."""

import ast
from pathlib import Path

import pytest

from core.paths import PROJECT

FILES = sorted(p.relative_to(PROJECT) for folder in ("core", "app") for p in (PROJECT / folder).rglob("*.py"))


def imported(path: Path) -> set[str]:
    """Every module that a file imports, wherever in the file; names of a `from core import x` included."""
    modules: set[str] = set()
    for node in ast.walk(ast.parse((PROJECT / path).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules |= {node.module or ""} | {f"{node.module}.{alias.name}" for alias in node.names}
    return modules


def uses(path: Path, prefix: str) -> bool:
    return any(module == prefix or module.startswith(prefix + ".") for module in imported(path))


def under(*folders: str) -> list[Path]:
    return [p for p in FILES if str(p).startswith(folders)]


def test_the_engine_knows_no_page():
    assert [p for p in under("core") if uses(p, "streamlit") or uses(p, "app") or uses(p, "plotly")] == []


def test_plots_know_no_streamlit():
    assert not uses(Path("app/plots.py"), "streamlit")


HOT = [
    "core/chemistry/elements.py",
    "core/chemistry/composition.py",
    "core/chemistry/formula_reader.py",
    "core/chemistry/tolerances.py",
    "core/generation/gradient/simplex_map.py",
    "core/predictors/features/periodic_table_image.py",
    "core/generation/gradient/losses.py",
    "core/generation/gradient/optimiser.py",
    "core/problem/problem.py",
    "core/problem/validation.py",
    "core/problem/serialization.py",
    "core/problem/settings.py",
    "core/generation/initialization.py",
    "core/generation/rounding.py",
    "core/generation/search/neutral_neighbors.py",
    "core/generation/gradient/batch_parallel.py",
    *(str(p) for p in under("core/predictors") if p.name != "control_model.py"),  # asked about results only
]
ALLOWED_IN_HOT = {"torch", "numpy", "safetensors"}


@pytest.mark.parametrize("path", HOT)
def test_the_hot_path_needs_torch_and_numpy_only(path):
    import sys

    outside = {m.split(".")[0] for m in imported(Path(path))} - set(sys.stdlib_module_names) - {"core", ""}
    assert outside <= ALLOWED_IN_HOT


@pytest.mark.parametrize(
    ("users", "forbidden"),
    [
        (
            "core/generation/gradient/optimiser.py",
            [
                "core.evaluation.design",
                "core.screening",
                "core.reference_data.references",
                "core.runs.store",
                "core.training",
            ],
        ),
        (
            "core/screening",
            [
                "core.predictors",
                "core.training",
                "core.generation.gradient.optimiser",
                "core.evaluation.design",
                "torch",
            ],
        ),
        ("core/training", ["core.generation.gradient.optimiser", "core.evaluation.design", "core.runs.store"]),
        (
            "core/predictors",
            ["core.training", "core.generation.gradient.optimiser", "core.problem.problem", "core.evaluation.design"],
        ),
        (
            "core/problem/problem.py",
            [
                "core.predictors",
                "core.generation.gradient.simplex_map",
                "core.generation.gradient.optimiser",
                "core.evaluation.design",
                "torch",
            ],
        ),
        (
            "core/problem/settings.py",
            ["core.problem.problem", "core.problem.composition_constraints", "core.problem.substitution_sites"],
        ),
        (
            "core/chemistry/composition.py",
            ["core.problem.problem", "core.problem.settings", "core.generation.gradient.simplex_map"],
        ),
        (
            "core/evaluation/candidate_table.py",
            ["core.evaluation.design", "core.predictors", "torch"],
        ),
        ("core/evaluation/design.py", ["core.runs.store", "core.training", "core.benchmarks"]),
        ("core/benchmarks", ["core.training"]),
        (
            "core/generation/substitution.py",
            ["core.evaluation", "core.generation.gradient", "core.training"],
        ),
    ],
)
def test_arrows(users, forbidden):
    files = under(users)
    assert files
    assert [(str(p), f) for p in files for f in forbidden if uses(p, f)] == []


def test_the_optimiser_sees_only_the_interface_of_predictors():
    seen = {m for m in imported(Path("core/generation/gradient/optimiser.py")) if m.startswith("core.predictors")}
    assert all(module.startswith("core.predictors.interface") for module in seen)
