"""The folder of structures: files, table, resume, errors."""

import csv
import json
from dataclasses import replace

import pytest

from core.errors import InputError
from core.screening.convex_hull import HullDistance
from core.structures.files import read_cif
from core.structures.folder import (
    COLUMNS,
    FINISHED,
    NOT_PLACED,
    TABLE,
    FolderSettings,
    Request,
    Work,
    file_name,
    find_all,
)
from core.structures.potential_hull import Stopped
from core.structures.prototypes import StructureFinder
from core.structures.relaxation import RELAXED as RELAXED_VERDICT
from core.structures.relaxation import RelaxationSettings, relax
from core.structures.structure_models import StructureProperties
from tests import crystals
from tests.pair_potential import PairPotential

SETTINGS = FolderSettings(2, "a", "b")
REQUESTS = [
    Request("KCl", {"K": 1.0, "Cl": 1.0}),
    Request("xx", None, "not a formula"),
    Request("MgB2", {"Mg": 1.0, "B": 2.0}),
]


class Counted:
    """A finder that counts its formulas and may stop at one."""

    def __init__(self, fails_at=None):
        self._finder = StructureFinder(crystals.prototype_library(), crystals.NearestFirst())
        self.asked, self._fails_at = 0, fails_at

    def find(self, amounts, top):
        self.asked += 1
        if self.asked == self._fails_at:
            raise KeyboardInterrupt
        return self._finder.find(amounts, top)

    def known(self, counts):
        return self._finder.known(counts)


def table(folder):
    with (folder / TABLE).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_each_structure_has_a_row_and_two_files(tmp_path):
    progress = []
    assert find_all(tmp_path, REQUESTS, Counted(), SETTINGS, progress.append) == 1
    rows = table(tmp_path)
    assert tuple(rows[0]) == COLUMNS and progress == [1, 2, 3]
    assert [(row["formula"], row["rank"]) for row in rows] == [("KCl", "1"), ("KCl", "2"), ("xx", ""), ("MgB2", "1")]
    assert rows[2]["error"] == "not a formula"
    for row in rows[:2] + rows[3:]:
        made = read_cif((tmp_path / row["cif"]).read_text(encoding="utf-8"))
        assert made.formula == row["formula"] and len(made.symbols) == int(row["n_atoms"])
        assert (tmp_path / row["poscar"]).read_text(encoding="utf-8").startswith(row["formula"])
        assert row["relaxed"] == "false" and row["energy_eV_per_atom"] == row["tc_structure_K"] == ""
    assert [row["matches_known"] for row in rows] == ["false", "false", "", "true"]


def test_interrupted_work_resumes_with_the_same_table(tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    find_all(whole, REQUESTS, Counted(), SETTINGS)
    with pytest.raises(KeyboardInterrupt):
        find_all(parts, REQUESTS, Counted(fails_at=2), SETTINGS)
    assert [row["formula"] for row in table(parts)] == ["KCl", "KCl", "xx"]
    finder = Counted()
    find_all(parts, REQUESTS, finder, SETTINGS)
    assert finder.asked == 1 and (parts / TABLE).read_bytes() == (whole / TABLE).read_bytes()


def test_work_stops_when_asked(tmp_path):
    find_all(tmp_path, REQUESTS, Counted(), SETTINGS, should_stop=lambda: True)
    assert table(tmp_path) == []


class Relaxes:
    """Relaxation by pairs that counts its structures and may be interrupted at one."""

    def __init__(self, fails_at=None):
        self.asked, self._fails_at = 0, fails_at

    def __call__(self, structure, should_stop):
        self.asked += 1
        if self.asked == self._fails_at:
            raise KeyboardInterrupt
        return relax(structure, PairPotential(r0=3.0), should_stop=should_stop)


RELAXED = replace(SETTINGS, potential="pairs")


def test_relaxed_structures_are_written_with_their_energy(tmp_path):
    find_all(tmp_path, REQUESTS, Counted(), RELAXED, work=Work(relaxer=Relaxes()))
    first = table(tmp_path)[0]
    made = read_cif((tmp_path / first["cif"]).read_text(encoding="utf-8"))
    energy = PairPotential(r0=3.0).evaluate(made).energy_eV / len(made.symbols)
    assert first["relaxed"] == "true" and first["relaxation"] == "relaxed" and first["pressure_GPa"] == "0"
    assert float(first["energy_eV_per_atom"]) == pytest.approx(energy, abs=1e-3)
    assert "relaxed by pairs" in (tmp_path / first["cif"]).read_text(encoding="utf-8").splitlines()[0]


def test_relaxed_structures_are_placed_on_the_hull(tmp_path):
    def placer(structure, energy_eV_per_atom):
        return HullDistance(0.25, (("K", 0.5), ("Cl", 0.5))) if "K" in structure.symbols else None

    find_all(tmp_path, REQUESTS, Counted(), replace(RELAXED, hull=True), work=Work(Relaxes(), placer))
    found = table(tmp_path)
    assert found[0]["energy_above_hull_eV_per_atom"] == "0.2500" and found[0]["competing_phases"] == "0.5 K + 0.5 Cl"
    assert found[-1]["formula"] == "MgB2" and found[-1]["energy_above_hull_eV_per_atom"] == ""


def test_what_a_proposal_became_is_compared_with_the_known_structures(tmp_path):
    known, unknown = crystals.rock_salt("K", "Br", 6.6), crystals.caesium_chloride("K", "Br", 4.1)

    def becomes(structure):
        return lambda given, should_stop: replace(
            relax(given, PairPotential(r0=3.0)), structure=structure, verdict=RELAXED_VERDICT
        )

    for structure, expected in ((known, "true"), (unknown, "false")):
        folder = tmp_path / expected
        find_all(folder, [Request("KBr", {"K": 1.0, "Br": 1.0})], Counted(), RELAXED, work=Work(becomes(structure)))
        rows = table(folder)
        assert [row["matches_known"] for row in rows] == [expected, expected] and len(rows) == 2
        assert rows[0]["cell_formula"] == "KBr"


def test_a_structure_of_another_composition_is_not_known(tmp_path):
    """The ordered parent of a doped formula, though it is a known compound."""
    request = Request("CeFeAsO0.97F0.03", {"Ce": 1.0, "Fe": 1.0, "As": 1.0, "O": 0.97, "F": 0.03})

    def stays(structure, should_stop):
        return replace(relax(structure, PairPotential(r0=3.0)), structure=structure, verdict=RELAXED_VERDICT)

    find_all(tmp_path, [request], Counted(), RELAXED, work=Work(stays))
    assert table(tmp_path)[0]["cell_formula"] == "CeFeAsO" and table(tmp_path)[0]["matches_known"] == "false"


def test_a_relaxation_belongs_to_its_proposal(tmp_path):
    """Another structure at the same place is relaxed itself."""
    first, second = Relaxes(), Relaxes()
    find_all(tmp_path, REQUESTS[:1], Counted(), RELAXED, work=Work(first))
    (tmp_path / FINISHED / f"{file_name('KCl')}.json").unlink()

    class Others(Counted):
        def find(self, amounts, top):
            found = super().find(amounts, top)
            return [replace(found[0], structure=crystals.rock_salt("K", "Cl", 6.31)), *found[1:]]

    find_all(tmp_path, REQUESTS[:1], Others(), RELAXED, work=Work(second))
    assert (first.asked, second.asked) == (2, 1)


def test_structures_are_described(tmp_path):
    def describer(structures, space_groups):
        return [
            StructureProperties(0.9, 12.345) if g > 200 else StructureProperties(0.2, float("nan"))
            for g in space_groups
        ]

    find_all(tmp_path, REQUESTS, Counted(), SETTINGS, work=Work(describer=describer))
    first, *_, last = table(tmp_path)
    assert (first["band_gap_class"], first["tc_structure_K"], first["metal_probability"]) == ("metal", "12.35", "0.900")
    assert (last["band_gap_class"], last["tc_structure_K"]) == ("non-metal", "") and last["formula"] == "MgB2"
    assert last["coordination"].startswith("Mg ") and 2 < float(last["density_g_per_cm3"]) < 3


def test_relaxed_structures_can_be_read_before_the_hull(tmp_path):
    def stops(structure, energy_eV_per_atom):
        raise Stopped

    settings = replace(RELAXED, hull=True)
    find_all(tmp_path, REQUESTS, Counted(), settings, work=Work(Relaxes(), stops))
    stored = json.loads((tmp_path / FINISHED / f"{file_name('KCl')}.json").read_text(encoding="utf-8"))
    assert not stored["placed"] and stored["rows"][0]["relaxed"] == "true" and table(tmp_path) == []
    relaxes = Relaxes()
    find_all(tmp_path, REQUESTS[:1], Counted(), settings, work=Work(relaxes, lambda *_: HullDistance(0.1, ())))
    assert relaxes.asked == 0 and table(tmp_path)[0]["energy_above_hull_eV_per_atom"] == "0.1000"


def test_interrupted_relaxations_resume_at_the_structure(tmp_path):
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    every, rest = Relaxes(), Relaxes()
    find_all(whole, REQUESTS, Counted(), RELAXED, work=Work(every))
    with pytest.raises(KeyboardInterrupt):
        find_all(parts, REQUESTS, Counted(), RELAXED, work=Work(Relaxes(fails_at=2)))
    find_all(parts, REQUESTS, Counted(), RELAXED, work=Work(rest))
    assert rest.asked == every.asked - 1 and (parts / TABLE).read_bytes() == (whole / TABLE).read_bytes()


def test_a_relaxation_stops_within_a_formula(tmp_path):
    asked = []

    def should_stop():
        asked.append(True)
        return len(asked) > 2  # once before the formula, once before the first evaluation

    relaxes = Relaxes()
    find_all(tmp_path, REQUESTS, Counted(), RELAXED, should_stop=should_stop, work=Work(relaxes))
    assert relaxes.asked == 1 and table(tmp_path) == []


def test_several_structures_are_relaxed_at_once_with_the_same_table(tmp_path):
    one, three = tmp_path / "one", tmp_path / "three"
    find_all(one, REQUESTS, Counted(), RELAXED, work=Work(Relaxes()))
    asked = []

    def stops_once(structure, should_stop):
        asked.append(structure)
        if len(asked) == 1:
            return relax(structure, PairPotential(r0=3.0), should_stop=lambda: True)
        return relax(structure, PairPotential(r0=3.0))

    find_all(three, REQUESTS, Counted(), RELAXED, work=Work(stops_once, at_once=3))
    assert table(three) == []
    find_all(three, REQUESTS, Counted(), RELAXED, work=Work(stops_once, at_once=3))
    assert (three / TABLE).read_bytes() == (one / TABLE).read_bytes()


def test_a_structure_that_has_not_converged_is_not_placed_and_says_so(tmp_path):
    def ends_early(structure, should_stop):
        return relax(structure, PairPotential(r0=3.0), RelaxationSettings(most_steps=1))

    def placer(structure, energy_eV_per_atom):
        return HullDistance(0.25, (("K", 0.5), ("Cl", 0.5)))

    find_all(tmp_path, REQUESTS[:1], Counted(), replace(RELAXED, hull=True), work=Work(ends_early, placer))
    assert table(tmp_path)[0]["note"] == NOT_PLACED and not table(tmp_path)[0]["energy_above_hull_eV_per_atom"]


def test_a_folder_of_unrelaxed_structures_is_not_continued_with_relaxed_ones(tmp_path):
    find_all(tmp_path, REQUESTS, Counted(), SETTINGS)
    with pytest.raises(InputError, match="other settings"):
        find_all(tmp_path, REQUESTS, Counted(), RELAXED, work=Work(Relaxes()))


def test_a_folder_with_other_settings_is_refused(tmp_path):
    find_all(tmp_path, REQUESTS, Counted(), SETTINGS)
    with pytest.raises(InputError, match="other settings") as caught:
        find_all(tmp_path, REQUESTS, Counted(), replace(SETTINGS, top=3))
    assert caught.value.field == "out"


def test_a_folder_that_cannot_be_written_is_refused(tmp_path):
    (tmp_path / "file").write_text("x")
    with pytest.raises(InputError, match="cannot be written"):
        find_all(tmp_path / "file", REQUESTS, Counted(), SETTINGS)


def test_names_of_files_differ_without_regard_to_case():
    names = [file_name(text).lower() for text in ("Co", "CO", "La2-xSrxCuO4, x = 0.1", "../../x", "=1+1")]
    assert len(set(names)) == 5 and not any("/" in name or "\\" in name for name in names)
