"""The registry of trainable artefacts: every name has a trainer, and an evaluator if it has figures."""

import inspect
from pkgutil import resolve_name

import pytest

from core.errors import InputError
from core.generation.diffusion.settings import CLASSES, checkpoint_name
from core.predictors.registry import predictors
from core.training import (
    control_model,
    crystal_base,
    element_table,
    formation_energy,
    formation_energy_ensemble,
    references,
    registry,
    tc,
    tc_ensemble,
)
from core.training.registry import EVALUATED, TRAINABLES, held_out_figures, train


def test_predictors_and_tables_are_listed_in_the_order_of_training():
    diffusion = [checkpoint_name(name) for name in CLASSES]
    assert list(TRAINABLES) == [
        *(info.name for info in predictors()),
        *diffusion,
        "prototypes",
        "crystal-base",
        "crystal-tc",
        "large-cells",
        "structure-ranking",
        "metal-classifier",
        "tc-structure",
        "references",
        "tc-reports",
        "potential-references",
        "elements",
    ]
    assert (
        tuple(
            name
            for name in TRAINABLES
            if name not in ("prototypes", "large-cells", "tc-reports", "potential-references", "elements")
        )
        == EVALUATED
    )
    assert list(TRAINABLES).index(formation_energy_ensemble.NAME) < list(TRAINABLES).index(tc_ensemble.NAME)


@pytest.mark.parametrize("name", EVALUATED)
def test_trainers_and_evaluators_accept_the_arguments_of_the_registry(name):
    each = TRAINABLES[name]
    inspect.signature(resolve_name(each.trainer)).bind("data", "out", 0, "build")
    inspect.signature(resolve_name(each.evaluator)).bind(name, "data", "checkpoints")


@pytest.mark.parametrize("module", [tc, tc_ensemble, control_model, formation_energy, formation_energy_ensemble])
def test_a_predictor_is_trained_by_its_own_module(module):
    assert resolve_name(TRAINABLES[module.NAME].trainer) is module.train


def test_training_returns_the_held_out_figures(monkeypatch, tmp_path):
    def trained(folder, out, seed, build):
        return {"metrics_held_out": {"folder": folder, "out": out, "seed": seed, "build": build}}

    monkeypatch.setattr(references, "train", trained)
    figures = train("references", tmp_path, tmp_path / "out", 3, tmp_path / "build")
    assert figures == {"folder": tmp_path, "out": tmp_path / "out", "seed": 3, "build": tmp_path / "build"}


def test_a_further_round_is_for_networks_that_have_one(monkeypatch, tmp_path):
    def trained(folder, out, seed, build):
        return {"metrics_held_out": {"seed": seed}}

    monkeypatch.setattr(crystal_base, "train_on", trained)
    assert train("crystal-base", tmp_path, tmp_path, 3, tmp_path, continued=True) == {"seed": 3}
    with pytest.raises(InputError, match="these can be continued: crystal-base, potential-references"):
        train("references", tmp_path, tmp_path, 3, tmp_path, continued=True)


def test_superdiff_is_its_networks_of_all_classes_or_one():
    networks = tuple(checkpoint_name(name) for name in CLASSES)
    assert registry.names_of("superdiff") == registry.names_of("superdiff", "all") == networks
    assert [registry.names_of("superdiff", name) for name in registry.CLASSES] == [(name,) for name in networks]
    assert registry.names_of("tc") == ("tc",)
    with pytest.raises(InputError, match="only superdiff has classes"):
        registry.names_of("tc", "cuprate")


def test_the_element_table_needs_no_raw_data(monkeypatch, tmp_path):
    written = []
    monkeypatch.setattr(element_table, "write_element_table", lambda: written.append(1))
    assert train("elements", tmp_path / "missing", tmp_path, 0, tmp_path) == {} and written


def test_a_table_without_figures_is_not_evaluated(tmp_path):
    assert registry.TABLES[-1].evaluator is None
    with pytest.raises(ValueError, match="no held-out figures"):
        held_out_figures("elements", tmp_path, tmp_path)
