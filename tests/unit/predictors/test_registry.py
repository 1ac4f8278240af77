"""The registry: its declarations match the predictors, and a problem may only name predictors of the right role."""

import shutil
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.chemistry import elements
from core.chemistry.composition import compositions
from core.generation.diffusion.settings import CLASSES, checkpoint_name
from core.generation.validation import check
from core.paths import CHECKPOINTS, PROJECT
from core.predictors import checkpoint, registry
from core.predictors.checkpoint import CheckpointError, read_card
from core.predictors.control_model import NAME as CONTROL_NAME
from core.predictors.control_model import load_control_model
from core.predictors.info import Role
from core.predictors.registry import (
    BEST,
    CONTROL,
    MODELS,
    PUBLISHED,
    Models,
    check_models,
    check_role,
    load_as_trained,
    load_predictor,
    member_count,
    predictor_info,
    predictors,
    register,
)
from core.problem.problem import DesignProblem
from core.reference_data.large_cells import NAME as LARGE_CELLS
from core.reference_data.prototypes import NAME as PROTOTYPES
from core.reference_data.references import NAME as REFERENCES
from core.reference_data.tc_reports import NAME as REPORTS
from core.structures.diffusion.names import BASE, WITH_TC
from core.structures.potential_references import NAME as POTENTIAL_REFERENCES
from core.structures.ranking import NAME as STRUCTURE_RANKING
from core.structures.structure_models import METAL_NAME, TC_NAME

LOADABLE = [info for info in predictors() if info.role is not Role.CONTROL]
ROLES = {"tc_predictor": Role.TC, "formation_energy_predictor": Role.FORMATION_ENERGY}
WRONG = [
    (field, name)
    for field, role in ROLES.items()
    for name in (*(info.name for info in predictors() if info.role is not role), REFERENCES, "elements", "nothing", "")
]


def test_every_checkpoint_of_a_predictor_is_registered_with_its_architecture():
    cards = {path.stem: read_card(path.stem) for path in CHECKPOINTS.glob("*.json")}
    of_structures = {
        PROTOTYPES,
        LARGE_CELLS,
        POTENTIAL_REFERENCES,
        STRUCTURE_RANKING,
        METAL_NAME,
        TC_NAME,
        BASE,
        WITH_TC,
    }
    others = {REFERENCES, REPORTS, *of_structures, *map(checkpoint_name, CLASSES)}
    assert cards.keys() - others == {info.name for info in predictors()}
    assert all(cards[info.name]["architecture"] == info.architecture for info in predictors())
    assert all(cards[info.name]["role"] == info.role for info in predictors())


@pytest.mark.parametrize("info", LOADABLE, ids=lambda info: info.name)
def test_a_predictor_is_what_the_registry_declares(info):
    predictor = load_predictor(info.name)
    assert (predictor.name, predictor.role) == (info.name, info.role)
    assert len(predictor.members()) == member_count(info.name)
    estimate = predictor.estimate(torch.from_numpy(compositions(["MgB2", "FeSe"])).float())
    assert (estimate.error is not None) == predictor.gives_error
    assert (estimate.distance is not None) == (predictor.familiar_distance is not None)
    known = {symbol for symbol, flag in zip(elements.symbols(), predictor.known_elements, strict=True) if flag}
    assert known == registry.known_elements(info.name)


@pytest.mark.parametrize("name", ["tc", "formation-energy", "tc-ensemble"])
def test_as_trained_is_the_same_function(name):
    x = torch.from_numpy(compositions(["MgB2", "YBa2Cu3O7"])).float()
    assert np.allclose(load_as_trained(name)(x), load_predictor(name)(x), atol=1e-3)


def test_the_sets_of_models_are_those_of_the_cards_and_the_defaults():
    usual = DesignProblem("LaFeAsO")
    assert Models(usual.tc_predictor, usual.formation_energy_predictor) == BEST == MODELS["best"]
    assert Models("tc", "formation-energy") == PUBLISHED == MODELS["published"]
    assert CONTROL == CONTROL_NAME


def test_listing_imports_no_torch():
    code = "import sys, core.training.registry; sys.exit(any(m in sys.modules for m in ('torch', 'numpy', 'scipy')))"
    assert subprocess.run([sys.executable, "-c", code], cwd=PROJECT).returncode == 0


def test_names_and_roles_in_a_model_set_are_unique(monkeypatch):
    monkeypatch.setattr(registry, "_REGISTERED", dict(registry._REGISTERED))
    with pytest.raises(ValueError, match="tc is already registered"):
        register(predictor_info("tc"))
    with pytest.raises(ValueError, match="already has a predictor of the role tc"):
        register(replace(predictor_info("tc"), name="tc-new"))
    register(replace(predictor_info("tc"), name="tc-new", model_set=None))
    assert predictors(Role.TC)[-1].name == "tc-new" and check_role("tc-new", Role.TC, "tc_predictor") == []


# Roles.


@pytest.mark.parametrize(("field", "name"), WRONG)
def test_a_model_of_another_role_is_rejected(field, name):
    (error,) = check(DesignProblem("LaFeAsO", **{field: name}))
    choices = [info.name for info in predictors(ROLES[field])]
    assert (error.field, error.value) == (field, name)
    assert f"a model that predicts {ROLES[field].predicts} is required" in error.rule
    assert error.remedy == f"Choose one of: {', '.join(choices)}"


def test_both_models_are_checked():
    assert [error.field for error in check_models(Models("formation-energy", "tc"))] == list(ROLES)


@pytest.mark.parametrize("models", [*MODELS.values(), Models(BEST.tc, PUBLISHED.formation_energy)])
def test_models_of_the_right_role_are_accepted(models):
    assert check_models(models) == []


@pytest.mark.parametrize("name", [None, 5, ["tc"], {"tc": 1}])
def test_a_name_that_is_not_a_string_is_rejected(name):
    (error,) = check_role(name, Role.TC, "tc_predictor")
    assert "no predictor has this name" in error.rule


# Loading.


def test_an_unknown_name_and_the_control_model_are_not_loaded():
    with pytest.raises(CheckpointError, match="No predictor is named nothing"):
        load_predictor("nothing")
    with pytest.raises(CheckpointError, match="control model"):
        load_predictor(CONTROL)


@pytest.mark.parametrize("architecture", ["elemnet-v1", "transformer", None])
def test_a_card_of_another_architecture_is_rejected_before_the_weights_are_read(architecture, tmp_path):
    checkpoint.rewrite_card("tc", read_card("tc") | {"architecture": architecture}, tmp_path)
    with pytest.raises(CheckpointError, match=r"names the architecture .*; tc requires “resnet18-periodic-table-v1”"):
        load_predictor("tc", tmp_path)


def of_role(folder, name, role):
    """The checkpoint in another folder, its card with another role, or with none."""
    shutil.copy(checkpoint.paths(name)[0], folder)
    card = {key: value for key, value in read_card(name).items() if key != "role"}
    checkpoint.rewrite_card(name, card if role is None else card | {"role": role}, folder)


@pytest.mark.parametrize("load", [load_predictor, load_as_trained])
@pytest.mark.parametrize(
    ("role", "words"),
    [(None, "names no role"), ("formation_energy", "the role “formation_energy”"), ("", "the role “”"),
     ("TC", "the role “TC”"), (["tc"], "the role"), (True, "the role “True”")],
)  # fmt: skip
def test_a_card_of_another_role_or_without_one_is_refused(load, role, words, tmp_path):
    of_role(tmp_path, "tc", role)
    with pytest.raises(CheckpointError, match=f"{words}.* tc predicts the critical temperature.*core train tc"):
        load("tc", tmp_path)
    of_role(tmp_path, "tc", "tc")
    assert load("tc", tmp_path).role is Role.TC


@pytest.mark.parametrize("role", [None, "tc"])
def test_a_control_model_of_another_role_or_without_one_is_refused(role, tmp_path):
    of_role(tmp_path, CONTROL, role)
    with pytest.raises(CheckpointError, match=r"names (no role|the role “tc”).* as a control that is never optimised"):
        load_control_model(CONTROL, tmp_path)
