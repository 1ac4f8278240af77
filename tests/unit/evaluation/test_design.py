"""Small complete designs: table, funnel, constraints on every candidate, cancellation and error messages."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from core.chemistry import elements
from core.chemistry.families import families
from core.chemistry.formula_reader import parse_formula
from core.errors import InputError
from core.evaluation import user_formulas
from core.evaluation.columns import COLUMNS
from core.evaluation.csv_export import to_csv
from core.evaluation.design import design, prepare
from core.evaluation.result import DesignResult
from core.generation.gradient import optimiser
from core.generation.starting_materials import starting_materials
from core.generation.validation import check
from core.predictors.device import resolve_device
from core.problem.composition_constraints import Group
from core.problem.presets import HYDRIDE, HYDRIDE_FLOORS
from core.problem.problem import DesignProblem
from core.problem.settings import EVERY_ATOM, NEAREST, NEUTRAL, ONE_STATE, OptimiserSettings
from core.problem.substitution_sites import Site, takers
from core.screening.registry import MAX_SCREENED_ELEMENTS, screens

SETTINGS = OptimiserSettings(candidates=16, steps=(3, 3), rounding=NEAREST)  # some formulas fail the screens
SMALL = DesignProblem(base="LaFeAsO", settings=SETTINGS, seed=3, device="cpu")

PLACED = (
    "energy_above_hull_eV_per_atom",
    "energy_above_hull_std_eV_per_atom",
    "nearest_known_tc_K",
    "distance_to_known",
)

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def small(one_thread) -> DesignResult:
    return design(SMALL)


@pytest.fixture(scope="module")
def kept(one_thread) -> DesignResult:
    """Half of the atoms are oxygen, a twelfth copper; no lanthanum (which is in the base), arsenic or sulphur."""
    problem = replace(SMALL, base="La2CuO4", fixed={"O": 0.5, "Cu": 1 / 12}, forbidden=("La", "As", "S"))
    return design(problem)


@pytest.fixture(scope="module")
def crowded(one_thread) -> DesignResult:
    """Up to 12 elements, more than the screens allow."""
    settings = replace(SETTINGS, max_elements=12, added_elements=(6, 12), n_unit=(60, 60), integer_weight=0.0)
    return design(replace(SMALL, base="BaSrCaYLaFeCoAsO", settings=settings))


@pytest.fixture(scope="module")
def unmixed(one_thread) -> DesignResult:
    """Mixtures of metals that do not mix, so that the formation energy is above zero."""
    settings = replace(SETTINGS, mutate_probability=0.0, added_elements=(0, 1), perturb_ratio=0.1)
    return design(replace(SMALL, base="AgFeW", settings=settings))


# The table.


def test_the_table_has_the_declared_columns_and_types(small):
    assert list(small.candidates.columns) == [column.name for column in COLUMNS]
    assert [str(dtype) for dtype in small.candidates.dtypes] == [column.dtype for column in COLUMNS]
    assert small.problem == SMALL and small.status == "finished" and small.device == "cpu"


def test_rows_are_ordered_by_passing_and_then_by_tc_minus_its_error(small):
    table = small.candidates
    assert table["rank"].tolist() == list(range(1, len(table) + 1))
    assert table["passes"].nunique() == 2  # both kinds occur
    assert table["passes"].is_monotonic_decreasing
    for _, group in table.groupby("passes"):
        assert (group["tc_K"] - group["tc_std_K"]).is_monotonic_decreasing
    assert not small.passing["tc_K"].is_monotonic_decreasing  # the errors differ
    assert small.passing["formula"].tolist() == table["formula"][table["passes"]].tolist()


def test_formulas_are_distinct_integer_and_in_lowest_terms(small):
    assert small.candidates["formula"].is_unique
    for _, row in small.candidates.iterrows():
        amounts = parse_formula(row["formula"])
        assert all(amount == int(amount) for amount in amounts.values())
        assert np.gcd.reduce([int(amount) for amount in amounts.values()]) == 1
        assert row["n_elements"] == len(amounts) <= SETTINGS.max_elements
        assert row["n_atoms"] == sum(amounts.values()) <= SETTINGS.n_unit[1]


def test_predictions_are_those_of_the_rounded_formula(small):
    """Not those of the composition before rounding; the base is predicted in the same way."""
    table, again = small.candidates, user_formulas.predict(small.candidates["formula"], device="cpu")
    assert np.allclose(table["tc_K"], again["tc_K"], atol=1e-3)
    energy = "formation_energy_eV_per_atom"
    assert np.allclose(table[energy], again[energy], atol=1e-5)
    assert np.abs(table["tc_K"] - table["tc_before_rounding_K"]).max() > 0.1
    base = user_formulas.predict([SMALL.base], device="cpu").iloc[0]
    within = {"tc_K": 1e-3, energy: 1e-5, "tc_judge_K": 1e-9}
    assert small.base == {name: pytest.approx(base[name], abs=tolerance) for name, tolerance in within.items()}
    assert np.allclose(table["tc_judge_K"], again["tc_judge_K"]) and np.allclose(table["tc_std_K"], again["tc_std_K"])
    assert np.allclose(table["tc_gain_K"], table["tc_K"] - small.base["tc_K"], atol=1e-9)


def test_screens_agree_with_those_of_the_formula_alone(small):
    again = user_formulas.screen(small.candidates["formula"], device="cpu")
    again["reason"] = again["reason"].str.partition(";")[0]  # without the advice to try --every-atom
    for name in ("charge_neutral", "pauling_ok", "reason", "oxidation_states"):
        assert small.candidates[name].tolist() == again[name].tolist()
    passing, again = small.passing, again[small.candidates["passes"]]
    assert passing["nearest_known"].tolist() == again["nearest_known"].tolist()
    for name in PLACED:
        assert np.allclose(passing[name], again[name], atol=1e-4)


def test_stability_and_novelty_are_computed_only_for_passing_rows(small):
    failing = small.candidates[~small.candidates["passes"]]
    for name in PLACED:
        assert small.passing[name].notna().all() and failing[name].isna().all()
    for name in ("decomposition", "nearest_known"):
        assert (small.passing[name] != "").all() and (failing[name] == "").all()
    assert not failing["known"].any()


# The screens.


def first_failed(row: pd.Series) -> str:
    """The first screen that a row fails, from the columns of the row."""
    if row["n_elements"] > MAX_SCREENED_ELEMENTS:
        return "elements"
    if not row["charge_neutral"]:
        return "charge_neutral"
    if not row["pauling_ok"]:
        return "pauling_ok"
    return "formation_energy" if row["formation_energy_eV_per_atom"] >= 0 else ""


def test_failed_screen_names_the_first_failure(small, crowded, unmixed):
    seen = set()
    for result in (small, crowded, unmixed):
        expected = [first_failed(row) for _, row in result.candidates.iterrows()]
        assert result.candidates["failed_screen"].tolist() == expected
        assert result.candidates["passes"].tolist() == [name == "" for name in expected]
        seen |= set(expected)
    assert seen == {"", "elements", "charge_neutral", "pauling_ok", "formation_energy"}


@pytest.mark.parametrize("which", ["small", "kept", "crowded", "unmixed"])
def test_the_funnel_adds_up_to_the_table(which, request):
    result = request.getfixturevalue(which)
    table, funnel = result.candidates, result.funnel
    assert [step.screen for step in funnel] == ["candidates", *(screen.name for screen in screens(ONE_STATE))]
    assert [step.label for step in funnel[1:]] == [screen.label for screen in screens(ONE_STATE)]
    left = SETTINGS.candidates
    for step in funnel:
        left -= sum(step.failed.values())
        assert step.left == left
        assert list(step.failed.values()) == sorted(step.failed.values(), reverse=True)
    assert funnel[0].left == table["times_found"].sum() == SETTINGS.candidates  # no candidate was lost
    assert funnel[1].left == len(table) and funnel[-1].left == table["passes"].sum()
    for step in funnel[2:]:
        assert sum(step.failed.values()) == (table["failed_screen"] == step.screen).sum()
    reasons = table["reason"][table["failed_screen"] == "charge_neutral"].value_counts().to_dict()
    assert next(step for step in funnel if step.screen == "charge_neutral").failed == reasons


def test_a_formation_energy_above_zero_fails(unmixed):
    step = unmixed.funnel[-1]
    assert step.screen == "formation_energy" and step.failed["predicted formation energy is not negative"] >= 3


def test_more_than_nine_elements_fail(crowded):
    failed = next(step for step in crowded.funnel if step.screen == "elements").failed
    too_many = crowded.candidates["n_elements"][crowded.candidates["n_elements"] > 9]
    assert len(too_many) and failed == {f"{n} elements": c for n, c in too_many.value_counts().items()}


# Rounding to a neutral neighbour.


def neutral(problem: DesignProblem) -> DesignResult:
    return design(replace(problem, settings=replace(problem.settings, rounding=NEUTRAL)))


def test_neutral_rounding_keeps_the_passing_formulas_and_adds_others(small):
    table = neutral(SMALL).candidates
    before = small.passing.set_index("formula")["tc_K"]
    after = table[table["passes"]].set_index("formula")["tc_K"]
    assert set(before.index) < set(after.index)
    assert np.allclose(after[before.index], before, atol=1e-3)
    assert table["pauling_ok"].mean() > 0.9 > small.candidates["pauling_ok"].mean()


def test_neutral_rounding_moves_only_failing_formulas_and_the_funnel_counts_them(small):
    result = neutral(SMALL)
    before, after = (t.candidates.set_index("candidate") for t in (small, result))
    failing = set(before.index[~before["pauling_ok"]])
    moved = {c for c in failing & set(after.index) if before["formula"][c] != after["formula"][c]}
    assert moved == {c for c in failing & set(after.index) if after["pauling_ok"][c]}
    for c in moved:
        assert after["rounding_distance"][c] > before["rounding_distance"][c]
        assert "all metals" not in after["reason"][c]
    all_that_fail = before["times_found"][~before["pauling_ok"]].sum()
    assert result.funnel[1].note == f"{all_that_fail} rounded to a neighbour that passes the charge screens"
    assert small.funnel[1].note == ""


def test_a_neutral_neighbour_keeps_the_fixed_part():
    problem = replace(SMALL, fixed={"Fe": 0.25, "As": 0.25})
    before, after = design(problem).candidates, neutral(problem).candidates
    assert after["pauling_ok"].mean() > before["pauling_ok"].mean()
    for formula in after["formula"]:
        amounts = parse_formula(formula)
        assert amounts["Fe"] == amounts["As"] == sum(amounts.values()) / 4


# Bounds, groups and ratios.

CONSTRAINTS = {
    "bounds": {"O": (0.3, 0.55), "Cu": (0.1, 0.3)},
    "groups": (Group(("O", "F", "S"), 0.4, 0.6),),
    "ratios": ({"Ba": 2, "Y": 1},),
}


@pytest.mark.parametrize("rounding", [NEAREST, NEUTRAL])
def test_every_formula_keeps_bounds_groups_and_ratios_exactly(rounding):
    settings = replace(SETTINGS, rounding=rounding)
    result = design(replace(SMALL, base="YBa2Cu3O7", settings=settings, **CONSTRAINTS))
    assert len(result.candidates) > 8
    for formula in result.candidates["formula"]:
        amounts = parse_formula(formula)
        atoms = sum(amounts.values())
        of = {s: amounts.get(s, 0) / atoms for s in ("O", "F", "S", "Cu")}
        assert 0.3 <= of["O"] <= 0.55 and 0.1 <= of["Cu"] <= 0.3
        assert 0.4 - 1e-9 <= of["O"] + of["F"] + of["S"] <= 0.6 + 1e-9
        assert amounts.get("Ba", 0) == 2 * amounts.get("Y", 0)


def test_candidates_without_a_feasible_integer_formula_are_counted():
    """With 7 atoms La:Fe = 5:3 is impossible: a candidate that consists mostly of both would have to lose both."""
    settings = replace(SETTINGS, n_unit=(7, 7), mutate_probability=0.0)
    result = design(replace(SMALL, settings=settings, ratios=({"La": 5, "Fe": 3},)))
    lost = result.funnel[0].failed["no nearby integer formula satisfies the bounds, groups and ratios"]
    assert 0 < lost == SETTINGS.candidates - result.funnel[0].left
    assert result.funnel[0].left == result.candidates["times_found"].sum()
    assert not any({"La", "Fe"} & set(parse_formula(formula)) for formula in result.candidates["formula"])


# Fixed part, forbidden elements, substitution and seed.


def test_the_fixed_part_is_kept(kept):
    for formula in kept.candidates["formula"]:
        amounts = parse_formula(formula)
        atoms = sum(amounts.values())
        assert amounts["O"] == atoms / 2 and amounts["Cu"] == atoms / 12


def test_forbidden_elements_are_absent_and_replaced(kept):
    used = set().union(*(parse_formula(formula) for formula in kept.candidates["formula"]))
    assert not used & {"La", "As", "S"}
    assert len(used - {"O", "Cu"}) >= 3


def test_a_substitution_keeps_the_rest_and_allows_elements_of_the_same_state():
    problem = replace(SMALL, task="substitute", sites=(Site("La", 3),))
    allowed = set(problem.allowed_symbols({"La", "Y", "Nd", "Al", "Na", "Fe"}))
    assert allowed == {"La", "Y", "Nd", "Al"}
    for formula in design(problem).candidates["formula"]:
        amounts = parse_formula(formula)
        atoms = sum(amounts.values())
        # Fe, As and O cannot replace La; each remains a quarter of the atoms.
        assert [amounts[symbol] / atoms for symbol in ("Fe", "As", "O")] == [0.25] * 3


def test_a_replaced_element_does_not_return_unless_its_site_lets_it():
    """Y, La and Nd are the allowed metals of +3; N and P are left out."""
    others = tuple(s for s in takers(3) if s not in ("La", "Y", "Nd", "N", "P"))
    problem = replace(SMALL, task="substitute", sites=(Site("La", 3),), forbidden=others)
    only_new = replace(problem, sites=(Site("La", 3, among="metals", may_return=False),))
    used = [set().union(*map(parse_formula, design(p).candidates["formula"])) for p in (problem, only_new)]
    assert "La" in used[0] and used[0] & {"N", "P"}
    assert used[1] == {"Y", "Nd", "Fe", "As", "O"}


def test_results_are_reproducible_and_depend_on_the_seed(small):
    assert to_csv(design(SMALL).candidates) == to_csv(small.candidates)
    other = design(replace(SMALL, seed=4))
    assert set(other.candidates["formula"]) != set(small.candidates["formula"])


# Cancellation and dead candidates.


def test_a_cancelled_design_returns_the_current_candidates():
    seen = []

    def on_step(state, report):
        seen.append((int(state.step), report.step, report.stage))
        return len(seen) < 4

    result = design(SMALL, on_step=on_step)
    assert result.status == "cancelled"
    assert seen == [
        (1, 0, 1),
        (2, 1, 1),
        (3, 2, 1),
        (4, 3, 2),
    ]  # completed steps; step and stage of the report
    assert result.funnel[0].left == SETTINGS.candidates

    task = prepare(SMALL).task
    state = optimiser.init(task)
    for _ in range(4):
        state, _ = optimiser.step(task, state)
    expected = optimiser.evaluate(task, state).tc_K.numpy()[result.candidates["candidate"]]
    assert result.candidates["tc_before_rounding_K"].to_numpy() == pytest.approx(expected, abs=1e-3)


def test_a_callback_does_not_change_the_result(small):
    assert to_csv(design(SMALL, on_step=lambda state, report: True).candidates) == to_csv(small.candidates)


@pytest.mark.parametrize("dead", [[2], list(range(16))], ids=["one", "all"])
def test_dead_candidates_are_counted_and_omitted(dead):
    prepared = prepare(SMALL)
    state = optimiser.init(prepared.task)
    state.x_base[dead] = -1.0
    result = prepared.finalize(state, "cancelled")
    assert result.funnel[0].failed == {"no positive ratio was left after the last step": len(dead)}
    assert result.funnel[0].left == result.candidates["times_found"].sum() == 16 - len(dead)
    assert not result.candidates["candidate"].isin(dead).any()
    assert [str(dtype) for dtype in result.candidates.dtypes] == [column.dtype for column in COLUMNS]


def test_candidates_with_the_same_formula_share_a_row():
    prepared = prepare(SMALL)
    state = optimiser.init(prepared.task)
    state.x_base[[4, 9]] = state.x_base[1].clone()
    result = prepared.finalize(state, "cancelled")
    met = result.candidates.set_index("candidate")
    assert met.loc[1, "times_found"] == 3 and not {4, 9} & set(met.index)
    assert result.funnel[1].failed == {"the same formula was reached before": 16 - len(met)}


# Error messages that depend on the predictors; the others are in test_problem.py.


def test_a_valid_problem_has_no_errors():
    assert check(SMALL) == []


@pytest.mark.parametrize(
    ("change", "field", "messages"),
    [
        ({"base": "LaPo"}, "base", ["“Po”: the formation-energy model does not know this element"]),
        (
            {"base": "LaHe"},
            "base",
            ["“He”: the Tc model does not know this element", "“He”: the formation-energy model does not know this"],
        ),
        ({"fixed": {"Ra": 0.2}}, "fixed", ["“Ra”: the formation-energy model does not know this element"]),
        ({"base": "LaFe("}, "base", ["“LaFe(” at character 5: this bracket is never closed"]),
    ],
)
def test_unknown_elements_and_invalid_bases_are_reported(change, field, messages):
    found = check(replace(SMALL, **change))
    assert [error.field for error in found] == [field] * len(messages)
    for error, expected in zip(found, messages, strict=True):
        assert error.message.startswith(expected)


def test_all_errors_are_listed_and_the_first_is_raised():
    problem = replace(SMALL, base="LaPo", seed=-1, forbidden=("Qq",))
    assert [error.field for error in check(problem)] == ["seed", "base", "forbidden"]
    with pytest.raises(InputError) as caught:
        design(problem)
    assert caught.value.message == check(problem)[0].message


def test_an_unavailable_device_is_rejected():
    assert resolve_device("cpu") == torch.device("cpu")
    with pytest.raises(InputError, match=r"Choose auto or one of: .*cpu"):
        resolve_device("abacus")
    if not torch.cuda.is_available():
        with pytest.raises(InputError, match="not available here"):
            resolve_device("cuda")


# Hydrides (KIAGO 3.6) and doping (GDMCD).

FREE = replace(SMALL, charge_rule=EVERY_ATOM)


def test_a_hydride_keeps_its_floor_and_atoms_of_one_element_may_differ_in_state():
    settings = replace(HYDRIDE, candidates=24, steps=(3, 3))
    result = design(replace(FREE, base="LaH10", floors=HYDRIDE_FLOORS, settings=settings))
    assert [step.screen for step in result.funnel] == [
        "candidates",
        *(screen.name for screen in screens(EVERY_ATOM)),
    ]
    more = 0
    for _, row in result.candidates.iterrows():
        amounts = parse_formula(row["formula"])
        assert amounts["H"] / row["n_atoms"] >= 0.4 and len(amounts) <= 3 and row["n_atoms"] <= 15
        more += amounts["H"] / row["n_atoms"] > 0.5
    assert more  # a floor, not a fixed amount
    assert (result.candidates["charge_neutral"] == result.candidates["pauling_ok"]).all()
    assert result.candidates["oxidation_states"].str.contains(r"H 1\+, \d+ H 1-|H 1-, \d+ H 1\+").any()


def test_a_pure_element_fails_the_formation_energy_screen():
    prepared = prepare(replace(FREE, base="LaH10", floors=HYDRIDE_FLOORS))
    state = optimiser.init(prepared.task)
    state.x_base[:] = 0
    state.x_base[:, 0] = 1
    result = prepared.finalize(state, "cancelled")
    assert result.candidates["formula"].tolist() == ["H"]
    assert result.candidates["failed_screen"].tolist() == ["formation_energy"]
    assert result.funnel[-1].failed == {"a pure element has a formation energy of 0": 1}


def test_fractional_elements_are_written_with_fractions_that_can_be_parsed():
    settings = replace(SETTINGS, fractional_elements=2, n_unit=(4, 12), integer_weight=0.0)
    result = design(replace(FREE, settings=settings))
    table = result.candidates
    fractional = [any(n != int(n) for n in parse_formula(f).values()) for f in table["formula"]]
    assert any(fractional)
    for formula, n in zip(table["formula"], table["n_atoms"], strict=True):
        amounts = parse_formula(formula)
        assert sum(amounts.values()) == pytest.approx(n, abs=1e-9) and sum(x % 1 > 0 for x in amounts.values()) <= 2
    again = user_formulas.screen(table["formula"], device="cpu")
    assert (again["error"] == "").all() and np.allclose(table["tc_K"], again["tc_K"], atol=1e-3)


def test_starts_from_known_superconductors_of_a_family():
    settings = replace(SETTINGS, start="known", start_family="iron-based", start_above_K=40.0)
    found = starting_materials(replace(SMALL, settings=settings, forbidden=("F",)), elements.symbols())
    assert len(found) > 10 and (families(found) == "iron-based").all() and not found[:, 8].any()
    none = replace(SMALL, settings=replace(settings, start_above_K=200.0))
    (error,) = check(none)
    assert error.field == "start_above_K" and "no known iron-based superconductor" in error.message


def test_fractional_elements_imply_rounding_to_the_nearest_formula():
    settings = replace(SETTINGS, fractional_elements=2, n_unit=(4, 12), integer_weight=0.0)
    doped = design(replace(SMALL, settings=settings))
    nearest = design(replace(SMALL, settings=replace(settings, rounding="nearest")))
    assert to_csv(doped.candidates) == to_csv(nearest.candidates)
    failing = doped.candidates[~doped.candidates["charge_neutral"]]
    assert failing["formula"].str.contains("0.", regex=False).any()


def test_two_sites_keep_their_atoms_and_the_total_charge():
    """La3+ by X2+ and O2- by X1- in LaFeAsO: a quarter of the atoms each; Fe and As are kept."""
    settings = replace(SETTINGS, steps=(4, 4), max_elements=6)
    sites = (Site("La", 3, by=2), Site("O", -2, by=-1))
    problem = replace(SMALL, task="substitute", sites=sites, settings=settings, forbidden=("O", "H"))
    task = prepare(problem).task
    state = optimiser.init(task)
    for _ in range(8):
        state, _ = optimiser.step(task, state)
        parts = task.constraints.parts(state.x_base, state.max_mask)
        assert torch.allclose(parts.sum(2), torch.full((16, 2), 0.25), atol=1e-6)
    plus, minus = (set(takers(q)) for q in (2, -1))
    assert {"Ti", "W"} <= set(elements.with_oxidation_state(-1)) - minus and {"F", "Br", "H", "N"} <= minus
    mixed = 0
    for formula in design(problem).candidates["formula"]:
        amounts = parse_formula(formula)
        atoms = sum(amounts.values())
        assert amounts.pop("Fe") / atoms == amounts.pop("As") / atoms == 0.25 and len(amounts) <= 4
        assert set(amounts) <= plus | minus
        for one, other in ((plus, minus), (minus, plus)):
            assert sum(amounts[s] for s in set(amounts) & (one - other)) <= atoms / 4
        mixed += len(amounts) > 2
    assert mixed


def test_a_vacant_site_changes_the_number_of_atoms():
    """Ti2O4 to X2O3 (KIAGO 3.5): two fifths of the atoms are X."""
    sites = (Site("Ti", 4, by=3), Site("O", -2, by=0, atoms=1))
    result = design(replace(SMALL, base="Ti2O4", task="substitute", sites=sites))
    for formula in result.candidates["formula"]:
        amounts = parse_formula(formula)
        assert amounts["O"] / sum(amounts.values()) == 0.6
        assert all(3 in elements.element(s).oxidation_states for s in amounts if s != "O")
    assert result.candidates["charge_neutral"].all()  # X3+ and O2- for every X
