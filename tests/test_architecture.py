"""The architecture: which package may import which, directly and indirectly, and that no imports form a cycle."""

import ast
import sys
from functools import cache
from pathlib import Path

import pytest

from core.paths import PROJECT

# A package may import those before it. Packages in one row do not import each other.
ORDER = (
    {"core.limits"},
    {"core.errors", "core.paths", "core.process_identity", "core.processors", "core.spreadsheet"},
    {"core.json_text"},
    {"core.tensor_file"},
    {"core.files"},
    {"core.chemistry"},
    {"core.problem"},
    {"core.predictors", "core.screening"},
    {"core.reference_data"},
    {"core.generation"},
    {"core.structures"},
    {"core.evaluation"},
    {"core.runs"},
    {"core.executors"},
    {"core.campaigns"},
    {"core.benchmarks"},
    {"core.cli"},
    {"core.__main__"},
)
# A package beside the order: what it may import up to, and who imports it.
SIDE = {"core.training": ("core.evaluation", {"core.benchmarks", "core.cli"})}
# What the steps of a run need imports these packages only, so that it runs wherever there is a GPU.
HOT_PACKAGES = ("core.chemistry", "core.problem", "core.predictors", "core.generation")
NOT_HOT = {
    "core.predictors.control_model": "predicts results only",
    "core.generation.gradient.generator": "prepares the task and reads the last state, with reference tables",
    "core.generation.diffusion.generator": "prepares the task and rounds the last state",
    "core.generation.hull_objective": "prepares the task, with reference tables",
    "core.generation.integer_formulas": "rounds the last state, with the screens",
    "core.generation.starting_materials": "prepares the task, with reference tables",
    "core.generation.search.starts": "prepares the task, with reference tables and rounding",
    "core.generation.search.genetic": "prepares the task, with reference tables",
    "core.generation.search.memetic": "prepares the task, with reference tables",
    "core.generation.search.setting": "prepares the task, with reference tables",
}
HOT_MAY_IMPORT = {"torch", "numpy", "safetensors"}


@cache
def modules() -> dict[str, Path]:
    """Every module of the project, by its dotted name."""
    files = (p for folder in ("core", "app") for p in (PROJECT / folder).rglob("*.py"))
    names = {p: ".".join(p.relative_to(PROJECT).with_suffix("").parts).removesuffix(".__init__") for p in files}
    return {name: path for path, name in names.items()}


@cache
def imported(module: str) -> frozenset[str]:
    """Modules that a module imports anywhere in its file, for type checking too; outside packages by their top name."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(modules()[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{module} imports relatively"
            inner = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in modules() else str(node.module) for name in inner}
    return frozenset(name if name in modules() else name.split(".")[0] for name in found)


@cache
def reached(module: str) -> frozenset[str]:
    """Everything that a module imports, directly or through others."""
    found, waiting = set(), [module]
    while waiting:
        for name in imported(waiting.pop()) - found:
            found.add(name)
            if name in modules():
                waiting.append(name)
    return frozenset(found)


def package(module: str) -> str:
    """core.problem.settings -> core.problem"""
    return ".".join(module.split(".")[:2])


def allowed(module: str) -> set[str]:
    """Packages that a module may import, its own included."""
    own = package(module)
    last = SIDE[own][0] if own in SIDE else own
    place = next((i for i, row in enumerate(ORDER) if last in row), None)
    assert place is not None, f"{own} has no place in the order of the packages"
    before = set().union(*ORDER[: place + (own in SIDE)])
    return before | {own} | {side for side, (_, users) in SIDE.items() if own in users}


@pytest.mark.parametrize("module", [m for m in modules() if m.startswith("core.")])
def test_imports_follow_the_order_of_the_packages(module):
    used = {package(name) for name in imported(module) if name.startswith("core.")}
    assert used <= allowed(module) | {"core"}


@pytest.mark.parametrize("module", [m for m in modules() if m.startswith("core")])
def test_the_engine_imports_neither_the_app_nor_its_libraries(module):
    assert not reached(module) & {"streamlit", "plotly"} and not any(m.startswith("app") for m in reached(module))


def test_no_imports_form_a_cycle():
    """Imports inside functions and for type checking count too."""
    cyclic = {m: sorted(n for n in reached(m) if n in modules() and m in reached(n)) for m in modules()}
    assert {m: others for m, others in cyclic.items() if m in reached(m)} == {}


@pytest.mark.parametrize("module", [m for m in modules() if m.startswith(HOT_PACKAGES) and m not in NOT_HOT])
def test_an_optimisation_step_imports_only_torch_numpy_and_safetensors(module):
    outside = {m for m in reached(module) if m not in modules()} - set(sys.stdlib_module_names)
    assert outside <= HOT_MAY_IMPORT


def test_screening_imports_no_model():
    for module in (m for m in modules() if m.startswith("core.screening")):
        assert not any(m.startswith("core.predictors") or m == "torch" for m in reached(module)), module


def test_the_optimiser_imports_only_the_interface_of_predictors():
    seen = {m for m in imported("core.generation.gradient.optimiser") if m.startswith("core.predictors")}
    assert seen == {"core.predictors.interface"}


def test_unit_tests_mirror_the_engine():
    """A test file has the path of the module that it tests."""
    tests = PROJECT / "tests" / "unit"
    lost = [
        str(path.relative_to(tests))
        for path in tests.rglob("test_*.py")
        if not (PROJECT / "core" / path.relative_to(tests).with_name(path.name.removeprefix("test_"))).exists()
        and not (PROJECT / "core" / path.relative_to(tests).parent / path.stem.removeprefix("test_")).is_dir()
    ]
    assert lost == []
