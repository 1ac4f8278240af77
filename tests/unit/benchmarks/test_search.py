"""The benchmark of searches: its lines, the counts of wins, and a tiny run that is resumed."""

import math
import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from core.benchmarks import default_search, search
from core.benchmarks.search import RIVALS, SearchOptions, compare, standing
from core.benchmarks.search_lines import FREE, HYDRIDES, NEAR_AND_NEW, NEW_ONES, SUBSTITUTION, lines
from core.benchmarks.search_methods import GENETIC_SEARCH, KIAGO, METHODS, OURS, Clock, Found, kiago_size
from core.errors import InputError
from core.generation.validation import check

ROW = {"method": OURS, "highest_K": 40.0, "base_tc_K": 10.0, "objective_K": 1.0, "objective_spread_K": 0.0,
       "control_tc_K": 1.0, "control_tc_spread_K": 0.0, "reached_s": np.nan, "target_K": np.nan}  # fmt: skip
TINY = SearchOptions(seconds=0.05, seeds=1, bases=("YIrSi",), methods=(OURS, GENETIC_SEARCH), device="cpu")


@pytest.fixture(scope="module")
def tiny(one_thread, tmp_path_factory):
    """The table of TINY, and the folder with its cache and its file of finished searches."""
    folder = tmp_path_factory.mktemp("tiny")
    return compare(replace(TINY, cache=folder / "cache", kept=folder / "search-parts.jsonl")), folder


def test_the_lines_are_those_of_the_papers_tables():
    kinds = [line.kind for line in lines()]
    assert [kinds.count(kind) for kind in (FREE, "new", NEAR_AND_NEW, SUBSTITUTION, HYDRIDES)] == [8, 8, 8, 11, 5]
    assert all(check(line.problem(0, "cpu")) == [] for line in lines())
    assert {line.kind for line in lines(("LaNiAsO",))} == {FREE, "new", NEAR_AND_NEW}
    limited = lines(("LaNiAsO", "YIrSi"), per_element_set=2)
    assert {line.kind: line.settings.per_element_set for line in limited} == {
        FREE: 2, "new": 2, NEAR_AND_NEW: 2, SUBSTITUTION: 0
    }  # fmt: skip


def test_an_unknown_base_is_refused():
    with pytest.raises(InputError, match="no line has this base"):
        lines(("XeF2",))


@pytest.mark.parametrize(
    "fields",
    [
        {"seeds": 0},
        {"seconds": 0.0},
        {"per_element_set": -1},
        {"rival_seconds": -1.0},
        {"margin_K": -1.0},
        {"methods": ("annealing",)},
    ],
)
def test_options_that_cannot_be_carried_out_are_refused(fields):
    with pytest.raises(InputError) as error:
        replace(TINY, **fields)
    assert error.value.field in fields


def table(ours: float, rival: float, spread: float) -> pd.DataFrame:
    rows = [(OURS, ours, spread), (GENETIC_SEARCH, rival, spread / 2), (KIAGO, np.nan, np.nan)]
    return pd.DataFrame(
        [{"kind": "new", "base": "LaNiAsO", "method": m, "objective_K": v, "objective_spread_K": s} for m, v, s in rows]
    )


@pytest.mark.parametrize(
    ("ours", "rival", "spread", "expected"),
    [(5.0, 3.0, 1.0, (1, 0, 1)), (5.0, 4.5, 1.0, (0, 1, 1)), (3.0, 5.0, 1.0, (0, 0, 1)), (3.0, np.nan, 1.0, (1, 0, 1)),
     (np.nan, np.nan, 0.0, (0, 1, 1)), (3.0, 5.0, np.nan, (0, 0, 1))],
)  # fmt: skip
def test_ahead_equal_and_behind(ours, rival, spread, expected):
    """Equal within the larger spread; a method without formulas loses."""
    assert standing(table(ours, rival, spread), "objective", RIVALS) == expected


def test_the_default_design_and_genetic_search_get_the_same_time(tmp_path, monkeypatch):
    """The rival gets the seconds of the default design, and both are assessed alike."""
    given = []

    def rival(method, line, seed, seconds, load, device):
        given.append((method, line.settings, seconds))
        return Found(np.zeros((0, 118)), seconds, ())

    monkeypatch.setattr(default_search, "default_run", lambda *_: Found(np.eye(118)[[40]], 12.5, ()))
    monkeypatch.setattr(default_search, "search", rival)
    options = SearchOptions(seeds=1, bases=("LaNiAsO",), device="cpu", cache=tmp_path)
    outcome = default_search.default_search(options)
    assert given == [(GENETIC_SEARCH, default_search.SETTINGS, 12.5)]
    assert outcome.table["method"].tolist() == [OURS, GENETIC_SEARCH] and set(outcome.table["seconds"]) == {12.5}
    assert "takes 12.5 to 12.5 s" in outcome.sentences[-1]
    with pytest.raises(InputError, match="no such base"):
        default_search.default_search(replace(options, bases=("MgB2",)))


def test_free_lines_are_counted_where_a_formula_is_above_the_base():
    row = ROW | {"kind": FREE}
    rows = [row | {"base": base, "highest_K": highest} for base, highest in (("A", 11.0), ("B", 10.0), ("C", np.nan))]
    assert any(
        "above the base among its best 30 for 1 of 3 bases" in line for line in search.sentences(pd.DataFrame(rows))
    )


def test_new_lines_without_a_formula_above_the_base_are_named():
    row = ROW | {"kind": NEW_ONES}
    rows = [row | {"base": base, "highest_K": highest} for base, highest in (("A", 11.0), ("B", 10.0), ("C", np.nan))]
    expected = "Of 3 lines of new formulas, those without a formula above the base: B (new), C (new)."
    assert expected in search.sentences(pd.DataFrame(rows))


def test_the_time_to_what_genetic_search_has_counts_lines_that_never_have_it():
    """Of five lines one has no target, and one never reaches it: the median of 4, 10, 22 and never is 16 s."""
    row = ROW | {"kind": NEW_ONES}
    found = ((1.0, 4.0), (1.0, 10.0), (1.0, 22.0), (1.0, np.nan), (np.nan, np.nan))
    rows = [row | {"base": str(n), "target_K": k, "reached_s": s} for n, (k, s) in enumerate(found)]
    text = search.sentences(pd.DataFrame(rows), 60.0)[-1]
    assert "has after 60 s, memetic search has after 16.0 s (median of 4 lines): in 20 s or less for 2" in text
    assert text.startswith("What") and "not at all for 1." in text
    text = search.sentences(pd.DataFrame(rows[-2:-1]))[-1]
    assert "has at the end, memetic search has not within its time (median of 1 lines)" in text


def test_the_time_of_free_lines_is_told_apart():
    rows = [
        ROW | {"base": kind, "kind": kind, "target_K": 1.0, "reached_s": s}
        for kind, s in ((NEW_ONES, 4.0), (FREE, 30.0))
    ]
    counted, free = search.sentences(pd.DataFrame(rows), 60.0)[-2:]
    assert counted.startswith("What genetic") and "has after 4.0 s (median of 1 lines)" in counted
    assert free.startswith("On the free lines, what genetic") and "has after 30.0 s (median of 1 lines)" in free


def test_the_cost_of_a_limit_is_a_share_of_the_gain():
    """Gains without the limit: 20, 10 and -1 K; the limit costs 1, 5 and 1 K of them."""
    row = ROW | {"kind": NEW_ONES}
    found = ((29.0, 30.0, 16), (15.0, 20.0, 9), (8.0, 9.0, 12))
    rows = [
        row | {"base": str(sets), "tc_K": tc, "tc_without_limit_K": free, "element_sets": sets}
        for tc, free, sets in found
    ]
    sets, loss = search.sentences(pd.DataFrame(rows))[-2:]
    assert "9 to 16 sets of elements (median 12); of 3 lines 2 have 10 or more, and 1 have 15 or more." in sets
    assert "costs 28% (median of 2 lines with a gain), and at most 10% for 1." in loss


def test_a_limit_is_compared_with_the_same_search_without(monkeypatch):
    def one(self, line, method, seed, seconds=None):
        limit = line.settings.per_element_set
        return dict.fromkeys(search.MEASURES, 10.0 + limit + seed) | {"seconds": 1.0, "course": []}

    monkeypatch.setattr(search._Searches, "one", one)
    table = compare(replace(TINY, bases=("LaNiAsO",), per_element_set=2, seeds=3)).table
    ours, rival = (table[table["method"] == method] for method in (OURS, GENETIC_SEARCH))
    assert ours["tc_K"].tolist() == [13.0] * 3 and ours["tc_without_limit_K"].tolist() == [11.0] * 3
    assert rival["tc_without_limit_K"].isna().all()


def test_the_time_to_a_value_is_the_median_over_the_seeds():
    courses = [[(1.0, 5.0), (3.0, 9.0)], [(2.0, 9.0)], [(1.0, 1.0), (8.0, 2.0)]]
    assert search.time_to(9.0, courses) == 3.0 and search.time_to(2.0, courses) == 2.0
    assert np.isnan(search.time_to(9.5, courses)) and np.isnan(search.time_to(9.0, []))


def test_the_end_of_a_longer_genetic_search_can_be_the_target(tiny, tmp_path):
    shutil.copytree(tiny[1] / "cache", tmp_path, dirs_exist_ok=True)
    table = compare(replace(TINY, cache=tmp_path, rival_seconds=0.1)).table
    assert set(table["method"]) == {OURS, GENETIC_SEARCH}
    searches = sorted(path.name for path in (tmp_path / "parts").iterdir())
    assert len(searches) == 3  # the third one is longer


@pytest.mark.parametrize(
    ("steps_s", "rest_s", "size"),
    [(0.1, 3.0, (256, 240)), (1.0, 2.0, (89, 75)), (0.01, 0.5, (1256, 500)), (1e-4, 1e-3, (4096, 500)),
     (100.0, 2.0, (16, 75))],
)  # fmt: skip
def test_kiago_gets_the_candidates_and_steps_that_end_within_the_time(steps_s, rest_s, size):
    """In 27 of 30 s: 27 s = 240 x 0.1 s + 3 s; 89 of 256 candidates take 89/256 of 75 x 1 s + 2 s; and so on."""
    assert kiago_size(30.0, steps_s, rest_s) == size


def test_a_method_stops_before_a_step_that_would_end_after_the_limit(monkeypatch):
    times = iter([4.0, 7.0, 9.0])
    monkeypatch.setattr("core.benchmarks.search_methods.time.perf_counter", lambda: next(times))
    clock = Clock(10.0, started=0.0)
    assert [clock.permits_another() for _ in range(3)] == [True, True, False]  # 4 + 4, 7 + 3, 9 + 2


def test_a_tiny_run_is_resumed(tiny, monkeypatch):
    first, folder = tiny
    assert len(first.table) == 2 and first.table["objective_K"].notna().all() and first.sentences
    assert (first.table["highest_K"] >= first.table["best_K"]).all() and (first.table["base_tc_K"] > 0).all()
    monkeypatch.setattr(search, "search", lambda *given: pytest.fail("searched again"))
    pd.testing.assert_frame_equal(compare(replace(TINY, cache=folder / "cache")).table, first.table)


def test_finished_searches_in_a_file_are_enough(tiny, tmp_path, monkeypatch):
    first, folder = tiny
    kept = folder / "search-parts.jsonl"
    assert len(kept.read_text().splitlines()) == 2
    monkeypatch.setattr(search, "search", lambda *given: pytest.fail("searched again"))
    pd.testing.assert_frame_equal(compare(replace(TINY, cache=tmp_path, kept=kept)).table, first.table)


def test_a_rival_far_behind_with_the_first_seed_has_no_further_seeds(monkeypatch):
    values = {OURS: 10.0, GENETIC_SEARCH: 9.8, KIAGO: 2.0}
    given = []

    def one(self, line, method, seed, seconds=None):
        given.append((method, seed))
        return dict.fromkeys(search.MEASURES, values[method] + 0.1 * seed) | {"seconds": 1.0, "course": []}

    monkeypatch.setattr(search._Searches, "one", one)
    options = replace(TINY, seeds=3, methods=(OURS, GENETIC_SEARCH, KIAGO))
    assert compare(options).table["seeds"].tolist() == [3, 3, 1]
    assert given.count((KIAGO, 0)) == 1 and (KIAGO, 1) not in given
    assert compare(replace(options, margin_K=math.inf)).table["seeds"].tolist() == [3, 3, 3]
    given.clear()
    table = compare(replace(options, methods=(KIAGO, OURS))).table
    assert table["method"].tolist() == [OURS, KIAGO] and table["seeds"].tolist() == [3, 1]


@pytest.mark.parametrize(
    ("rival", "ours", "behind"), [(9.4, 10.0, True), (9.6, 10.0, False), (11.0, 10.0, False), (None, 10.0, True),
                                  (None, None, False), (1.0, None, False)],
)  # fmt: skip
def test_far_behind(rival, ours, behind):
    one, two = ({"objective_K": value, "control_tc_K": value} for value in (rival, ours))
    assert search.far_behind(one, two, 0.5) is behind
    assert not search.far_behind(one, two, math.inf)
    assert not search.far_behind(one | {"control_tc_K": 10.0}, two, 0.5)  # by the control model it is not


def test_a_line_counts_once_in_the_curves_however_many_seeds_it_has():
    courses = {("new", "A", OURS): [[(1.0, 10.0)]] * 3, ("new", "B", OURS): [[(1.0, 20.0)]]}
    (line,) = search._figure(courses)["data"]
    assert line["y"] == pytest.approx([15.0] * len(line["y"]))


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("method", [m for m in METHODS if m not in (OURS, GENETIC_SEARCH, KIAGO)])
@pytest.mark.parametrize("base", ["LaH10", "YIrSi"])
def test_every_method_solves_hydrides_and_substitutions(method, base, tmp_path):
    found = compare(replace(TINY, cache=tmp_path, bases=(base,), methods=(method,))).table
    assert found["formulas"].iloc[0] > 0 and found["tc_K"].iloc[0] >= 0
