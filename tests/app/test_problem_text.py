"""Problems as text and as vectors."""

from __future__ import annotations

from dataclasses import replace

from app.text.problem_text import problem_rows
from app.text.problem_title import settings_text, title, title_html
from app.text.vectors import m_elem, x_const
from core.chemistry import elements
from core.generation.registry import SUBSTITUTION, expected_s
from core.problem.origin import Origin
from core.problem.presets import GDMCD, HYDRIDE
from core.problem.problem import DesignProblem
from core.problem.settings import EVERY_ATOM, SUBSTITUTE
from core.problem.substitution_sites import Site
from tests.app.problems import KNOWN


def test_the_rows_describe_the_fixed_part_the_free_part_and_the_work():
    problem = DesignProblem("LaFeAsO", fixed={"Fe": 0.25, "As": 0.25}, forbidden=("He", "Kr"))
    rows = dict(problem_rows(problem, KNOWN - {"He"}))
    assert rows["Fixed"].startswith("Fe 0.25, As 0.25") and "= 0.5)" in rows["Fixed"]
    assert rows["Free"] == "50% of the atoms, from 82 elements: all that the models know except Kr"
    assert rows["Size"] == ("at most 7 elements; 4, 8, 12 … 24 atoms per formula unit, charges balanced where possible")
    assert "256 candidates × 150 steps = 38,400" in rows["Work"] and rows["Work"].endswith(" on two CPU cores")
    slow = dict(problem_rows(problem, KNOWN, pace=10.0))["Work"]
    assert slow.endswith("about 3 min here, by the last runs") and expected_s(problem) == 19.2
    alone = DesignProblem("LaFeAsO", forbidden=tuple(KNOWN - {"Fe"}))
    assert dict(problem_rows(alone, KNOWN))["Free"] == "100% of the atoms, from 1 element: Fe"


def test_the_description_of_a_substitution():
    replaced = DesignProblem("LaFeAsO", task=SUBSTITUTE, sites=(Site("La", 3),), forbidden=("Pm",))
    assert dict(problem_rows(replaced, KNOWN))["Free"].endswith("all that can be +3 except Pm")
    assert title(replaced) == "Replace La in LaFeAsO by +3"
    metals = replace(replaced, sites=(Site("La", 3, among="metals", may_return=False),))
    assert dict(problem_rows(metals, KNOWN))["Free"].endswith("all metals that can be +3 except La")
    assert title(metals) == "Replace La in LaFeAsO by +3 metals"
    several = DesignProblem("Ti2O4", task=SUBSTITUTE, sites=(Site("Ti", 4, by=3), Site("O", -2, by=0, atoms=1)))
    assert title(several) == "Replace Ti (+4) by +3 and 1 O (−2) by nothing in Ti₂O₄"
    rows = dict(problem_rows(several, KNOWN))
    assert rows["Free"].startswith("40% of the atoms, from")
    assert "in place of Ti in" in rows["Start"]


def test_the_description_of_hydrides():
    hydride = DesignProblem("LaH10", settings=replace(HYDRIDE, start="enumerated"), floors={"H": 0.4},
                            charge_rule=EVERY_ATOM)  # fmt: skip
    rows = dict(problem_rows(hydride, {"H", "La", "Y", "Pd"}))
    assert rows["Start"] == "every element and every pair added to H: 30 starts, all used"  # 3 x 9 + 3
    assert rows["Minimum"] == "H 0.4" and rows["Free"].startswith("60% of the atoms")
    assert "its own oxidation state" in rows["Charges"] and "Aim" not in rows
    assert title(hydride) == "Raise Tc from every element and every pair with H at least 40%"
    assert title(replace(hydride, floors={})) == "Raise Tc from every element and every pair"


def test_the_description_of_gdmcd():
    gdmcd = DesignProblem("FeSe", settings=replace(GDMCD, start_family="cuprate"))
    assert title(gdmcd) == "Raise Tc to 300 K from known superconductors (cuprate)"
    rows = dict(problem_rows(gdmcd, KNOWN))
    assert rows["Start"].startswith("known superconductors (cuprate) above 20 K, and mixtures of two of them")
    assert rows["Aim"].startswith("a Tc of 300 K") and "2 elements may stay fractional" in rows["Size"]


def test_titles_of_both_kinds_name_the_method():
    problem = DesignProblem("YBa2Cu3O7", fixed={"Cu": 3 / 13}, method=SUBSTITUTION)
    assert title(problem) == "Raise Tc of YBa₂Cu₃O₇ with Cu fixed by random substitution"
    assert title_html(problem).startswith("Raise <i>T</i><sub>c</sub> of <span")
    assert title_html(problem).endswith("</span> by random substitution")
    assert settings_text(problem) == "256 candidates · drawn once · at most 7 elements · seed 0"


def test_the_vectors_have_one_digit_per_element():
    problem = DesignProblem("LaFeAsO", fixed={"Fe": 0.25}, forbidden=("H",))
    rows = m_elem(problem, frozenset(elements.symbols())).splitlines()[1:]
    bits = "".join(row.split()[-1] for row in rows)
    assert (len(bits), bits.count("0"), bits[0], bits[25]) == (118, 2, "0", "0")
    assert x_const(problem) == "x_const = (Fe 0.25, 0 elsewhere)"


def test_the_origin_of_the_base_is_named():
    problem = DesignProblem("LaFeAsO", origin=Origin("<run>", 7, 41))
    assert problem_rows(problem, KNOWN)[0] == ("Base from", "rank 7 of the run &lt;run&gt;")
    assert problem_rows(replace(problem, origin=None), KNOWN)[0][0] == "Start"
