"""The funnel: counts and reasons, advice, and an added screen."""

from dataclasses import asdict

import pandas as pd

from core.evaluation.funnel import FunnelStep, advice, first_failed, funnel, further_funnel
from core.problem.settings import EVERY_ATOM, ONE_STATE
from core.screening import registry
from core.screening.interface import Screen
from core.screening.registry import find_screen, screens
from tests.unit.evaluation.rows import row, table

STABLE = {"formation_energy_eV_per_atom": -1.0, "n_elements": 3, "times_found": 1}
FIVE = table(
    row(**STABLE, formula="A"),
    row(**(STABLE | {"times_found": 3}), formula="B"),
    row(**(STABLE | {"n_elements": 11}), formula="C", charge_neutral=False),  # fails two screens
    row(**(STABLE | {"times_found": 2}), formula="D", charge_neutral=False, pauling_ok=False, reason="charge +1"),
    row(**(STABLE | {"formation_energy_eV_per_atom": 0.5}), formula="E"),
)


def counted(charge_rule: str = ONE_STATE) -> tuple[FunnelStep, ...]:
    lost = {"died": 1, "never": 0, "no whole atoms": 2}
    return funnel(FIVE, 11, lost, 4, screens(charge_rule))


def test_first_failed_names_the_first_screen_that_a_row_fails():
    assert first_failed(FIVE, screens(ONE_STATE)).tolist() == ["", "", "elements", "charge_neutral", "formation_energy"]


def test_funnel_counts_and_reasons():
    assert counted() == (
        FunnelStep("candidates", "Candidates", 8, {"no whole atoms": 2, "died": 1}),
        FunnelStep(
            "distinct", "Distinct formulas", 5, {"the same formula was reached before": 3},
            "4 rounded to a neighbour that passes the charge screens",
        ),
        FunnelStep("elements", "Fewer than 10 elements", 4, {"11 elements": 1}),
        FunnelStep("charge_neutral", "Charge neutral", 3, {"charge +1": 1}),
        FunnelStep("pauling_ok", "Pauling test", 3, {}),
        FunnelStep(
            "formation_energy", "Formation energy below 0", 2, {"predicted formation energy is not negative": 1}
        ),
    )  # fmt: skip
    assert list(counted()[0].failed) == ["no whole atoms", "died"]


def test_the_rule_every_atom_has_no_pauling_test():
    assert [step.screen for step in counted(EVERY_ATOM)] == [
        "candidates", "distinct", "elements", "charge_neutral", "formation_energy"
    ]  # fmt: skip
    assert counted(EVERY_ATOM)[3].label == "Charge neutral, every atom free"


def test_no_candidates_give_an_empty_funnel():
    steps = funnel(FIVE.iloc[:0], 3, {"died": 3}, 0, screens(ONE_STATE))
    assert [step.left for step in steps] == [0] * 6
    assert [sum(step.failed.values()) for step in steps] == [3, 0, 0, 0, 0, 0]


def step(name: str, failed: int, label: str = "As stored") -> dict:
    return {"screen": name, "label": label, "left": 0, "failed": {"why": failed} if failed else {}}


def test_advice_is_that_of_the_screen_that_removed_most():
    found = advice([step("candidates", 90), step("distinct", 80), step("elements", 2), step("pauling_ok", 1234)])
    assert found == (
        "No candidate passes every screen; most (1,234) failed at “As stored”. "
        f"Suggestion: {find_screen('pauling_ok').advice}."
    )


def test_advice_if_no_screen_removed_a_candidate():
    for steps in ([], [step("candidates", 9), step("elements", 0)], [step("a screen of another version", 9)]):
        assert advice(steps) == "No candidate passes every screen. Optimise more candidates, or allow more elements."


def test_a_screen_is_added_by_one_object_and_one_entry(monkeypatch):
    def is_light(rows: pd.DataFrame):
        return (rows["n_atoms"] < 2).to_numpy()

    made_up = Screen(
        name="light",
        label="Fewer than two atoms",
        test=is_light,
        reason=lambda rows: rows["n_atoms"].map(lambda n: f"{n} atoms"),
        advice="take a smaller formula",
        charge_rules=(ONE_STATE,),
    )
    monkeypatch.setattr(registry, "SCREENS", (*registry.SCREENS, made_up))
    candidates = table(*(row(**STABLE, formula=name, n_atoms=n) for name, n in (("A", 2), ("B", 5), ("C", 2))))
    assert first_failed(candidates, screens(ONE_STATE)).tolist() == ["light"] * 3
    steps = funnel(candidates, 3, {}, 0, screens(ONE_STATE))
    assert steps[-1] == FunnelStep("light", "Fewer than two atoms", 0, {"2 atoms": 2, "5 atoms": 1})
    text = advice([asdict(step) for step in steps])
    assert "most (3) failed at “Fewer than two atoms”. Suggestion: take a smaller formula." in text
    assert made_up not in screens(EVERY_ATOM)


def test_further_screens_count_the_distinct_candidates_that_pass():
    table = pd.DataFrame(
        {
            "passes": [True] * 5 + [False],
            "rounding_distance": [0.0, 0.01, 0.05, 0.4, 0.0, 0.0],
            "usual_charges": pd.array([True, None, False, True, True, True], dtype="boolean"),
            "tc_gain_K": [30.0, 5.0, 30.0, 30.0, -1.0, 99.0],
            "tc_std_K": [10.0, 10.0, 10.0, 10.0, 10.0, 1.0],
            "energy_above_hull_std_eV_per_atom": [0.04] * 6,
            "energy_above_hull_eV_per_atom": [0.05, 0.05, 0.05, 0.05, 0.05, 0.0],
        }
    )
    steps = further_funnel(table)
    assert [(step.screen, step.left) for step in steps] == [
        ("passing", 5), ("exchange", 4), ("usual_charges", 3), ("above_base", 2), ("above_error", 1), ("near_hull", 1),
        ("within_hull_error", 0),
    ]  # fmt: skip
    assert steps[0].note == "3 as optimised, 2 after an exchange of atoms (median 22%, largest 40%)"
    assert steps[1].failed == {"another composition than the optimised one": 1} and steps[5].failed == {}
    assert [step.left for step in further_funnel(table.iloc[5:])] == [0] * 7
