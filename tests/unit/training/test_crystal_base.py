"""Training of both networks of crystals on a small folder: losses, cards, weights, and resuming."""

import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.chemistry.structure import Structure
from core.errors import InputError
from core.predictors import checkpoint
from core.structures.diffusion.lattice_numbers import LatticeScale
from core.structures.diffusion.names import BASE, WITH_TC
from core.structures.diffusion.network import CrystalNetSize
from core.structures.diffusion.template_draw import TemplateDraw
from core.structures.diffusion.weights import load_crystal_network
from core.training import crystal_base, crystal_samples, crystal_tc, evaluation
from core.training.best_weights import BestWeights
from core.training.crystal_base import LARGE, CrystalSettings
from core.training.crystal_loss import LossSettings
from core.training.crystal_samples import SampleSettings
from core.training.evaluation import flat
from core.training.structure_ranking import RankingSettings
from tests.crystals import a15, diboride
from tests.unit.training import crystal_files

SETTINGS = CrystalSettings(
    epochs=3,
    batch=8,
    groups=2,
    learning_rate=2e-2,
    averaging=0.5,
    size=CrystalNetSize(width=16, layers=2, frequencies=4, radial=4, encoding=8, adapter_width=8),
    loss=LossSettings(bfloat16=False),
    samples=SampleSettings(unconditional=4, per_formula=2, steps=2),
    held_out=RankingSettings(outside=5, held_out=2, fitted=3),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("data")
    crystal_files.write(made)
    return made


@pytest.fixture(scope="module")
def trained(folder):
    """The card of the base network; checkpoints are in out/."""
    return crystal_base.train(folder, folder / "out", 0, folder / "build", SETTINGS)


def test_training_lowers_the_loss_and_writes_a_card_that_matches_the_weights(trained, folder):
    first, *_, best = (figures["validation_loss"] for figures in trained["training"].values())
    assert best < 0.98 * first
    assert trained["cleaning"]["training"] == 38 and trained["cleaning"]["validation"] == 6
    assert sum(trained["sizes"]) == 38
    tensors, card = checkpoint.load(BASE, trained["architecture"], folder / "out")
    assert card == trained and all(value.dtype == torch.float16 for value in tensors.values())
    found = flat(crystal_base.held_out_figures(BASE, folder, folder / "out"))
    assert found == pytest.approx(flat(card["metrics_held_out"]), rel=1e-4)


def test_the_card_has_validity_and_match_rates(trained):
    samples = trained["samples"]
    assert samples["unconditional"]["n"] == 4 and samples["held_out_formulas"]["n"] == 4
    rates = [samples["unconditional"][key] for key in ("valid_structure", "valid_composition", "valid")]
    for part in ("held_out_formulas", "held_out_formulas_symmetric"):
        rates += [samples[part][key] for key in ("match_at_1", "match_at_1_by_likelihood", "match_at_2")]
    assert all(0 <= rate <= 1 for rate in rates)
    assert samples["held_out_formulas"]["match_at_1"] <= samples["held_out_formulas"]["match_at_2"]


def test_samples_of_a_stored_network_are_drawn_again(trained, folder, tmp_path):
    found = evaluation.evaluate_samples(BASE, folder, folder / "out", tmp_path)
    assert len(found) == len(flat(trained["samples"])) and all(figure.agrees for figure in found)
    with pytest.raises(InputError, match="samples are drawn from crystal-base, crystal-tc"):
        evaluation.evaluate_samples("references", folder, folder / "out", tmp_path)


def test_known_structures_match_themselves(trained, folder, monkeypatch, tmp_path):
    known = crystal_samples.held_out_structures(folder, 0, SETTINGS.held_out)
    assert len(known) == 4

    def exact(task, path, should_stop, progress):
        return [next(own[0] for own in known.values() if own[0].symbols == task.wanted.composition), None]

    monkeypatch.setattr(crystal_samples, "sampled", exact)
    network = load_crystal_network(BASE, folder / "out").network
    base = crystal_samples.Task(network, (), 0, 0, 2, crystal_samples.Wanted(), None, torch.device("cpu"))
    found = crystal_samples.match_rates(base, known, 2, tmp_path)
    assert found == {
        "n": 4, "match_at_1": 1.0, "match_at_1_by_likelihood": 1.0, "match_at_2": 1.0, "valid_structure": 0.5
    }  # fmt: skip


def test_templates_of_held_out_formulas_are_drawn_without_their_structures(trained, folder, monkeypatch, tmp_path):
    unknown = crystal_samples.unknown_formulas(folder, 0, SETTINGS.held_out)
    known = crystal_samples.held_out_structures(folder, 0, SETTINGS.held_out)
    assert len(unknown) == 10 and {frozenset(own[0].lowest_terms.items()) for own in known.values()} < unknown
    drawn = []

    def draw(library, composition, excluded=frozenset()):
        drawn.append(excluded)
        return TemplateDraw(library, composition, excluded)

    monkeypatch.setattr(crystal_samples, "TemplateDraw", draw)
    task = crystal_samples.task_of(load_crystal_network(BASE, folder / "out"), 0, SETTINGS.samples)
    crystal_samples.match_rates(task, known, 2, tmp_path, unknown)
    assert drawn == [unknown] * 4


def test_templates_as_they_are_are_compared_with_the_known_structures():
    def rank(structure, count=10):
        return crystal_samples.first_match_of_templates([structure], frozenset(), 0, count)

    assert 1 <= rank(diboride("Mg", 3.08, 3.52)) < 10 and rank(a15("Nb", "Sn", 5.3)) < 10
    symbols = ("H", "Li", "Be", "B", "C", "N", "O", "F", "Na", "Mg", "Al", "Si")
    unlike = Structure(np.diag([36.0, 3.0, 3.0]), symbols, np.arange(12)[:, None] / 12 * [1.0, 0, 0])
    assert rank(unlike) == float("inf")  # no prototype has this stoichiometry


def test_an_interrupted_training_gives_the_same_weights(trained, folder, monkeypatch, tmp_path):
    settings = replace(SETTINGS, samples=SampleSettings(unconditional=1, per_formula=1, steps=2))

    def killed(best, network, call=BestWeights.__call__):
        if (tmp_path / f"{BASE}-0" / "state-2.safetensors").exists():
            raise KeyboardInterrupt
        return call(best, network)

    with monkeypatch.context() as patched:
        patched.setattr(BestWeights, "__call__", killed)
        with pytest.raises(KeyboardInterrupt):
            crystal_base.train(folder, tmp_path / "out", 0, tmp_path, settings)
    crystal_base.train(folder, tmp_path / "out", 0, tmp_path, settings)
    straight, resumed = (checkpoint.paths(BASE, path / "out")[0] for path in (folder, tmp_path))
    assert straight.read_bytes() == resumed.read_bytes()


GENTLE = replace(SETTINGS, epochs=1, learning_rate=3e-3)


@pytest.fixture(scope="module")
def first_round(folder):
    """The card of a network that has not learned much; checkpoints are in first/."""
    return crystal_base.train(folder, folder / "first", 0, folder / "build-first", GENTLE)


@pytest.fixture
def out(first_round, folder, tmp_path):
    """A folder with this network."""
    shutil.copytree(folder / "first", tmp_path / "out")
    return tmp_path / "out"


def test_a_further_round_begins_with_the_stored_weights(first_round, folder, out, tmp_path):
    stored = load_crystal_network(BASE, out).network.state_dict()
    still = replace(GENTLE, learning_rate=1e-30)
    network, _ = crystal_base._fitted(
        crystal_base.read_data(folder, 0, still), still, 1, tmp_path, LatticeScale(**first_round["lattice"]), stored
    )
    assert all(torch.allclose(value, stored[key]) for key, value in network.state_dict().items())


def test_a_further_round_is_longer_and_has_more_given_formulas():
    first, further = crystal_base.default_settings(), crystal_base.further_settings()
    assert further.epochs == 2 * first.epochs and further.loss.known_share > first.loss.known_share
    assert (further.size, further.learning_rate) == (first.size, first.learning_rate)


def test_the_card_has_all_rounds_and_their_seeds(first_round, folder, out, tmp_path):
    cards = [first_round, *(crystal_base.train_on(folder, out, seed, tmp_path, GENTLE) for seed in (1, 2))]
    assert [each["sha256"] for each in cards[2]["earlier_rounds"]] == [card["sha256"] for card in cards[:2]]
    assert [card["split"]["training_seed"] for card in cards] == [0, 1, 2] and cards[2]["split"]["seed"] == 0
    assert cards[2]["lattice"] == first_round["lattice"] and "samples" in cards[2]
    with pytest.raises(InputError, match=r"another one than \[0, 1, 2\]"):
        crystal_base.train_on(folder, out, 1, tmp_path, GENTLE)


def test_a_round_that_is_interrupted_while_it_samples_goes_on_there(first_round, folder, out, tmp_path, monkeypatch):
    def killed(*given):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(crystal_samples, "figures", killed)
        with pytest.raises(KeyboardInterrupt):
            crystal_base.train_on(folder, out, 1, tmp_path, GENTLE)
    assert checkpoint.read_card(BASE, out) == first_round
    monkeypatch.setattr("core.training.loop._train", lambda members, *rest: None)  # no epoch is left
    assert len(crystal_base.train_on(folder, out, 1, tmp_path, GENTLE)["earlier_rounds"]) == 1


def test_a_round_without_gain_leaves_the_network(first_round, folder, out, tmp_path):
    wild = replace(SETTINGS, epochs=1, learning_rate=10.0)
    with pytest.raises(InputError, match="must lower it"):
        crystal_base.train_on(folder, out, 1, tmp_path, wild)
    assert checkpoint.read_card(BASE, out) == first_round


def test_tuning_begins_with_the_base_network_and_learns_the_adapter(trained, folder, tmp_path):
    base = load_crystal_network(BASE, folder / "out")
    settings = replace(crystal_tc.tuning_settings(base), epochs=2, batch=8, groups=2, samples=SampleSettings(1, 1, 2))
    settings = replace(settings, loss=replace(settings.loss, bfloat16=False))
    assert settings.size == replace(SETTINGS.size, adapter=True) and settings.loss.dropped_share == 0.2
    fresh = crystal_tc.tuned_from(base, settings, 0)
    assert all(torch.equal(value, fresh.state_dict()[key]) for key, value in base.network.state_dict().items())
    card = crystal_tc.train(folder, folder / "out", 0, tmp_path, settings)
    assert card["base_sha256"] == trained["sha256"] and card["cleaning"]["held-out formula"] > 0
    assert np.isfinite(list(flat(card["metrics_held_out"]).values())).all()
    tuned = load_crystal_network(WITH_TC, folder / "out")
    assert tuned.network.adapters[0].mixin.weight.abs().max() > 0
    found = flat(crystal_tc.held_out_figures(WITH_TC, folder, folder / "out"))
    assert found == pytest.approx(flat(card["metrics_held_out"]), rel=1e-4)


def test_the_base_network_trains_as_on_a_gpu(folder, tmp_path, as_on_a_gpu):
    data = crystal_base.read_data(folder, 0, SETTINGS)
    scale = LatticeScale.of(data.learnt.numbers, data.learnt.atoms)
    (network,) = crystal_base._fitting(data, replace(SETTINGS, epochs=1), 0, lambda network: {}, scale).run([tmp_path])
    assert all(parameter.isfinite().all() for parameter in network.parameters())


def test_weights_of_both_sizes_are_below_10_MB_in_16_bit():
    for settings in (CrystalSettings(), LARGE):
        network = crystal_base.CrystalNet(
            crystal_base.LatticeScale((0.0,) * 6, (1.0,) * 6), replace(settings.size, adapter=True)
        )
        assert 2 * sum(parameter.numel() for parameter in network.parameters()) < 10e6
