"""The screening of generated crystals: each step loses what it must, with its reason, and a stopped one goes on."""

from __future__ import annotations

import csv
from dataclasses import replace

import pytest

from core.errors import InputError
from core.screening.convex_hull import HullDistance
from core.structures.diffusion.folder import COLUMNS as SAMPLE_COLUMNS
from core.structures.diffusion.folder import TABLE as SAMPLES
from core.structures.diffusion.funnel import (
    BOUND,
    HOT,
    METALLIC,
    NEAR_HULL,
    NEW,
    NEW_RELAXED,
    RELAXED,
    STEPS,
    TABLE,
    UNIQUE,
    UNIQUE_RELAXED,
    VALID,
    FunnelSettings,
    FunnelWork,
    above_hull_eV_per_atom,
    by_number_of_elements,
    counts,
    elements_text,
    kind_of_reason,
    label_of,
    screen,
)
from core.structures.diffusion.request import GenerationRequest
from core.structures.files import to_cif
from core.structures.relaxation import FELL_APART, STEP_LIMIT, STOPPED, Relaxation
from core.structures.relaxation import RELAXED as CONVERGED
from core.structures.structure_models import StructureProperties
from tests.crystals import a15, caesium_chloride, diboride, rock_salt

KNOWN = {"NaCl": rock_salt("Na", "Cl", 5.6), "MgO": rock_salt("Mg", "O", 4.2)}
BECOME = {"MgO": KNOWN["MgO"], "TiN": rock_salt("Ti", "N", 4.2)}  # when relaxed
CRYSTALS = (  # crystal, and the step that loses it
    (diboride("Mg", 3.1, 3.5), ""), (rock_salt("Na", "Cl", 5.7), NEW), (caesium_chloride("Na", "Cl", 3.5), BOUND),
    (diboride("Mg", 3.11, 3.52), UNIQUE), (a15("Nb", "Sn", 5.3), RELAXED), (rock_salt("K", "Cl", 6.3), METALLIC),
    (rock_salt("Ti", "N", 4.2), HOT), (rock_salt("Nb", "C", 4.5), NEAR_HULL),
    (caesium_chloride("Mg", "O", 3.0), NEW_RELAXED), (caesium_chloride("Ti", "N", 3.0), UNIQUE_RELAXED),
)  # fmt: skip


class Asked:
    """The work of a screening, and how often structures were relaxed; stops before the relaxation with this number."""

    def __init__(self, stop_before: int = 10**9):
        self.relaxed, self.stop_before = 0, stop_before
        self.work = FunnelWork(
            lambda counts: [each for each in KNOWN.values() if set(each.counts) == set(counts)], self.relax,
            lambda structure, energy: 0.1 if structure.formula == "NaCl" else -0.5,
            lambda structures, groups: [
                StructureProperties(0.2 if "K" in each.symbols else 0.9, 1.0 if "Ti" in each.symbols else 12.0)
                for each in structures
            ],
            lambda structure, energy: HullDistance(0.3 if "C" in structure.symbols else 0.05, (("Mg", 1.0),)),
        )  # fmt: skip

    def relax(self, structure, should_stop):
        if self.relaxed == self.stop_before:
            return Relaxation(structure, -3.0, -3.0, 1, STOPPED, "", 0.0, 0.0, 0.0)
        self.relaxed += 1
        verdict = FELL_APART if "Sn" in structure.symbols else CONVERGED
        made = BECOME.get(structure.formula, structure)
        return Relaxation(made, -3.0, -3.0, 7, verdict, "", 0.01, 0.0, 0.0)


@pytest.fixture
def folder(tmp_path):
    """A folder with these crystals, and one without a valid structure."""
    (tmp_path / "cif").mkdir()
    rows = []
    for number, (structure, _) in enumerate(CRYSTALS):
        name = f"cif/{number}.cif"
        (tmp_path / name).write_text(to_cif(structure), encoding="utf-8")
        rows.append({"number": number, "formula": structure.formula, "valid_structure": "true", "cif": name})
    rows.append({"number": len(rows), "formula": "", "valid_structure": "false", "cif": ""})
    with (tmp_path / SAMPLES).open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, SAMPLE_COLUMNS)
        table.writeheader()
        table.writerows(rows)
    return tmp_path


def test_each_step_loses_what_it_must(folder):
    rows = screen(folder, FunnelSettings(), Asked().work)
    assert [row["lost_at"] for row in rows] == [*(step for _, step in CRYSTALS), VALID]
    reasons = {row["lost_at"]: row["reason"] for row in rows}
    assert reasons[UNIQUE] == "the same as number 0" and reasons[RELAXED] == FELL_APART
    assert reasons[HOT] == "Tc 1.0 K" and reasons[NEAR_HULL] == "0.300 eV/atom above the hull"
    assert reasons[UNIQUE_RELAXED] == "the same as number 6" and reasons[NEW_RELAXED] == "a known compound"
    assert counts(rows) == [("samples", 11), *zip(STEPS, (10, 9, 8, 7, 6, 5, 4, 3, 2, 1), strict=True)]
    known = next(row for row in rows if row["lost_at"] == NEW_RELAXED)
    assert known["space_group"] == "225" and (folder / known["cif"]).is_file()  # as relaxed
    assert by_number_of_elements(rows) == {2: 1.0}
    best = rows[0]
    assert best["space_group"] == "191" and float(best["energy_above_hull_eV_per_atom"]) == 0.05
    assert (folder / best["cif"]).is_file() and not rows[1]["cif"]
    with (folder / TABLE).open(encoding="utf-8", newline="") as file:
        assert list(csv.DictReader(file)) == rows


def test_the_distance_to_the_hull_is_asked_whatever_the_steps_say(folder):
    found = above_hull_eV_per_atom(folder, Asked().work, 100)
    expected = [None if step in (RELAXED, VALID) else 0.3 if step == NEAR_HULL else 0.05 for _, step in CRYSTALS]
    assert found == [*expected, None]
    assert above_hull_eV_per_atom(folder, Asked().work, 1) == expected[:1]


def test_equal_reasons_are_counted_together_and_steps_have_their_limits(folder):
    rows = screen(folder, FunnelSettings(), Asked().work)
    assert {row["lost_at"]: kind_of_reason(row) for row in rows if row["lost_at"]} == {
        VALID: "atoms overlap, or there is no cell", UNIQUE: "the same as another crystal", NEW: "a known compound",
        RELAXED: FELL_APART, UNIQUE_RELAXED: "the same as another crystal", NEW_RELAXED: "a known compound",
        BOUND: "formation energy not below 0", METALLIC: "no metal", HOT: "Tc at most 5 K",
        NEAR_HULL: "more than 0.2 eV/atom above the hull",
    }  # fmt: skip
    wider = FunnelSettings(least_tc_K=2.5, most_above_hull_eV_per_atom=0.4)
    lost = {row["lost_at"]: row for row in rows}
    assert kind_of_reason(lost[HOT], wider) == "Tc at most 2.5 K" and "0.4 eV" in kind_of_reason(lost[NEAR_HULL], wider)
    assert (label_of(HOT), label_of(UNIQUE)) == ("Tc by structure above 5 K", UNIQUE)
    assert label_of(NEW, FunnelSettings(known_are_kept=True)) == "new, or known and kept"
    assert label_of(NEAR_HULL, wider) == "within 0.4 eV/atom of the hull"


def test_of_a_formula_known_structures_are_marked_and_kept(folder):
    asked = FunnelSettings.of_request(GenerationRequest(1, composition=("Mg", "B", "B")))
    assert asked.known_are_kept and not FunnelSettings.of_request(GenerationRequest(1)).known_are_kept
    rows = screen(folder, asked, Asked().work)
    assert not {NEW, NEW_RELAXED} & {row["lost_at"] for row in rows}
    usual = screen(folder, FunnelSettings(), Asked().work)
    lost = {row["number"] for row in usual if row["lost_at"] in (NEW, NEW_RELAXED)}
    assert lost == {row["number"] for row in rows if row["known"] == "true"} and len(lost) == 2


def test_limits_can_be_changed(folder):
    rows = screen(folder, FunnelSettings(least_tc_K=0.5, most_above_hull_eV_per_atom=0.4), Asked().work)
    assert [row["lost_at"] for row in rows].count("") == 3


def test_a_stopped_screening_goes_on_after_the_last_relaxation(folder):
    whole = screen(folder, FunnelSettings(), Asked().work)
    for path in (folder / "relaxations").iterdir():
        path.unlink()
    first = Asked(stop_before=3)
    assert screen(folder, FunnelSettings(), first.work) is None and first.relaxed == 3
    second = Asked()
    assert screen(folder, FunnelSettings(), second.work) == whole
    assert first.relaxed + second.relaxed == 8  # the crystals that are valid, unique and new


def test_a_relaxation_that_ended_at_another_limit_is_made_again(folder):
    few = Asked()
    few.work = replace(
        few.work, relaxer=lambda structure, stop: replace(few.relax(structure, stop), verdict=STEP_LIMIT)
    )
    lost = screen(folder, FunnelSettings(), few.work)
    assert {row["reason"] for row in lost if row["lost_at"] == RELAXED} == {STEP_LIMIT}
    same = Asked()
    assert screen(folder, FunnelSettings(), same.work) == lost and same.relaxed == 0
    more = Asked()
    more.work = replace(more.work, most_steps=999)
    assert screen(folder, FunnelSettings(), more.work) != lost and more.relaxed == 8


def test_elements_without_an_energy_are_said(folder):
    without = replace(Asked().work, formation_energy=lambda structure, energy: None)
    assert screen(folder, FunnelSettings(), without)[0]["reason"] == "an element has no energy by the potential"
    nowhere = replace(Asked().work, placer=lambda structure, energy: None)
    assert screen(folder, FunnelSettings(), nowhere)[0]["lost_at"] == NEAR_HULL


def test_a_folder_without_samples_is_refused(tmp_path):
    with pytest.raises(InputError, match="no generated crystals"):
        screen(tmp_path, FunnelSettings(), Asked().work)


def test_the_numbers_of_elements_stand_beside_those_of_the_paper():
    rows = [{"n_elements": n, "lost_at": lost} for n, lost in (("2", ""), ("3", ""), ("3", NEW), ("3", ""))]
    assert elements_text(rows) == (
        "Of those that pass: 1 binary (33%), 2 ternary (67%); of the 773 of the paper: 17% binary, 59% ternary, "
        "23% quaternary, 1% quinary"
    )
    assert elements_text(rows[2:3]) == ""
