"""The models page: every card has a section with its own metrics."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from app.models.card_text import (
    PARTS,
    TC_PARTS,
    file_rows,
    intervals,
    intervals_before,
    metric_text,
    samples_text,
    value_text,
    with_links,
)
from app.models.charts import reliability_figure
from app.models.descriptions import NAMES
from app.models.page import overview, stored_cards
from core.paths import CHECKPOINTS
from core.predictors.checkpoint import read_card
from core.predictors.registry import BEST
from core.reference_data.references import NAME as REFERENCES
from core.structures.diffusion.names import BASE
from tests.app.pages import open_page, page_text

CARDS = {path.stem: json.loads(path.read_text()) for path in CHECKPOINTS.glob("*.json")}


def page_of(name: str) -> AppTest:
    """The page with this model in full."""
    return open_page(
        "models", opened={f"{part}-{name}": True for part in ("groups", "details")}, model=NAMES.get(name, name)
    )


@pytest.fixture(scope="module")
def models() -> AppTest:
    return page_of(BEST.tc)


def test_every_card_has_a_line_with_its_first_error(models):
    lines = next(frame.value for frame in models.dataframe if "Predicts" in frame.value).set_index("Model")
    assert sorted(lines.index) == sorted(NAMES.get(name, name) for name in CARDS) and len(CARDS) >= 12
    assert set(lines["Predicts"]) == {card["what"] for card in CARDS.values()}
    error_K = read_card(BEST.tc)["metrics_held_out"]["tc_mae_K"]
    assert lines.loc[NAMES[BEST.tc], "On held-out data"] == f"Tc MAE {error_K:.2f} K"


@pytest.mark.parametrize("name", CARDS)
def test_every_card_has_a_section(name):
    page = page_of(name)
    assert page.header[0].value == NAMES.get(name, name) and CARDS[name]["what"] in page_text(page)


def test_the_first_section_is_that_of_the_best_model_of_tc():
    shown = {metric.label: metric.value for metric in open_page("models").metric}
    assert shown["Tc MAE"] == f"{read_card(BEST.tc)['metrics_held_out']['tc_mae_K']:.2f} K"


def test_the_samples_of_a_network_of_crystals_are_those_of_its_card():
    page, samples = page_of(BASE), read_card(BASE)["samples"]
    shown = {metric.label: metric.value for metric in page.metric}
    assert shown["Samples with a valid structure"] == f"{samples['unconditional']['valid_structure']:.3f}"
    assert shown["Held-out formulas with a match at 20"] == f"{samples['held_out_formulas']['match_at_20']:.3f}"
    assert f"{samples['held_out_formulas']['n']} formulas that are in no training" in page_text(page)
    assert samples_text({}) == ""


def test_a_damaged_card_is_named(monkeypatch, tmp_path):
    (tmp_path / f"{BEST.tc}.json").write_text("{")
    monkeypatch.setattr("app.models.page.CHECKPOINTS", tmp_path)
    assert overview(stored_cards())["Predicts"].tolist() == ["The file is damaged."]


def test_errors_by_family_are_those_of_the_card(models):
    errors = read_card(BEST.tc)["metrics_held_out"]["by_family"]
    families = next(table.value for table in models.table if "cuprate" in table.value.index)
    assert families.loc["cuprate", "Tc MAE"] == f"{errors['cuprate']['tc_mae_K']:.2f} K"


def test_the_reliability_of_the_hull_distances_is_that_of_the_card():
    models = page_of(REFERENCES)
    found = read_card(REFERENCES)["metrics_held_out"]["by_spread"]
    shown = next(table.value for table in models.table if set(found) <= set(table.value.index))
    for name, metrics in found.items():
        assert shown.loc[name, "In the 90% interval"] == f"{metrics['inside_intervals']['90%']:.0%}"
        assert shown.loc[name, "Hull distance MAE"] == f"{metrics['hull_distance_mae_eV_per_atom']:.3f} eV/atom"


def test_new_systems_and_intervals_are_those_of_the_card(models):
    held_out = read_card(BEST.tc)["metrics_held_out"]
    systems = held_out["systems_held_out"]
    assert f"MAE {systems['tc_mae_K']:.2f} K, R² {systems['tc_r2']:.3f}" in page_text(models)
    for inside in (systems["inside_intervals"], held_out["inside_intervals"]):
        for share in ("50%", "90%"):
            assert f"{inside[share]:.0%}" in page_text(models)


def test_known_compounds_are_shown_with_their_flags(models):
    shown = next(frame.value for frame in models.dataframe if "Known Tc (K)" in frame.value)
    assert len(shown) == 35 and shown["Off stoichiometry?"].any() and "La₂CuO₄" in shown["Formula"].tolist()


def test_intervals_of_superconductors_that_the_model_does_not_see_are_in_the_text(models):
    low = read_card(BEST.tc)["metrics_held_out"]["systems_held_out"]["interval_90"]["predicted below 1 K"]
    assert f"below 1 K, the 90% interval contains {low['share_inside']:.0%}" in page_text(models)


def test_nested_settings_are_written_out(models):
    rows = [str(value) for table in models.table for value in table.value.to_numpy().ravel()]
    assert not any("{" in row or "None" in row for row in rows)
    network = read_card(BEST.tc)["settings"]["networks"][0]
    assert any(f"epochs {network['epochs']}, batch {network['batch']}" in row for row in rows)


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("tc_mae_K", 4.934, ("Tc MAE", "4.93 K")),
        ("formation_energy_r2", -0.5, ("Formation energy R²", "−0.500")),
        ("hull_distance_mae_eV_per_atom", 0.0512, ("Hull distance MAE", "0.051 eV/atom")),
        ("precision_above_1_K_with_cod", 0.687, ("Precision above 1 K with COD", "0.687")),
        ("n_superconductors", 1864, ("Held-out superconductors", "1,864")),
    ],
)
def test_a_metric_has_a_label_and_a_unit(key, value, expected):
    assert metric_text(key, value) == expected


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "yes"),
        (None, "all"),
        (4096, "4,096"),
        (0.03, "0.03"),
        ([1, 2], "1, 2"),
        ({"batch_size": 512}, "batch size 512"),
        ([{"epochs": 2}, {"epochs": 3}], "epochs 2; epochs 3"),
        ([], ""),
    ],
)
def test_values_of_a_card_are_readable(value, text):
    assert value_text(value) == text


def test_links_and_files():
    assert with_links("see doi:10.1/x.") == "see [doi:10.1/x](https://doi.org/10.1/x)."
    card = {"architecture": "a", "known_elements": ["H", "He"], "sha256": "0" * 64}
    assert file_rows(card) == {"architecture": "a", "known elements": "2", "SHA-256": "0" * 16 + "…"}


def test_reliability_is_drawn_by_part_of_the_held_out_data_before_and_now():
    parts = read_card(BEST.formation_energy)["metrics_held_out"]["by_held_out_part"]
    now, before = (
        intervals(read_card(BEST.formation_energy)["metrics_held_out"]),
        intervals_before(BEST.formation_energy),
    )
    assert list(now) == list(before) == list(PARTS.values())
    assert now["OQMD, systems"] == parts["oqmd_systems_on_mp"]["inside_intervals"]
    figure = reliability_figure(before)
    assert [trace.name for trace in figure.data[1:]] == list(before)
    assert list(figure.data[3].y) == [100 * share for share in before["OQMD, systems"].values()]
    assert intervals_before("tc") == {}


def test_reliability_of_tc_is_drawn_before_and_after_on_the_same_parts():
    after, before = intervals(read_card(BEST.tc)["metrics_held_out"]), intervals_before(BEST.tc)
    assert list(after) == list(before) == list(TC_PARTS)
    assert before["new systems, below 1 K"]["90%"] < 0.5 < after["new systems, below 1 K"]["90%"]
