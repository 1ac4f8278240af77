"""The sampler finds the crystal that an exact network knows, keeps what is asked, and repeats itself exactly."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
import torch

from core.structures.diffusion.coordinate_noise import score
from core.structures.diffusion.crystals import one_hot
from core.structures.diffusion.lattice_numbers import numbers_of
from core.structures.diffusion.network import Prediction
from core.structures.diffusion.noise import noise_tables
from core.structures.diffusion.sampler import (
    SamplerSettings,
    Task,
    Wanted,
    drawn_elements,
    init,
    run,
    schedule_of,
    step,
    structures,
)
from tests.unit.structures.diffusion.conftest import SCALE, SMALL, network_of

CPU = torch.device("cpu")
SIZES = (0, 0, 1, 2, 1, 0, 1)  # weights of 0 .. 6 atoms
TABLES = noise_tables(CPU)


class Exact:
    """The noise in crystals that are, without noise, always the same one."""

    scale = SCALE

    def __init__(self, kinds, positions, lattice):
        self.types, self.positions, self.lattice = one_hot(torch.tensor(kinds)), positions, lattice

    def __call__(self, crystals, steps, condition=None):
        t, n = int(steps[0]), crystals.positions.shape[1]
        kept, added, sigma, rms, _ = (table[t] for table in TABLES)
        displacement = crystals.positions - self.positions[:n]
        noise = (crystals.lattice - kept * self.lattice) / added
        return Prediction(
            kept * noise - added * self.lattice,
            score(displacement, sigma.expand_as(displacement)) / rms,
            100 * self.types[:n].expand_as(crystals.types),
        )


def task(network, **changes) -> Task:
    settings = changes.pop("settings", SamplerSettings(steps=4, guidance=2.0))
    wanted = Wanted(**changes.pop("wanted", {}))
    return replace(Task(network, SIZES, 7, 0, 6, wanted, settings, CPU), **changes)


@pytest.mark.parametrize("corrector", [False, True])
def test_an_exact_network_leads_to_its_crystal(corrector):
    torch.manual_seed(0)
    exact = Exact([10, 16, 16], torch.rand(3, 3), torch.randn(6))
    settings = SamplerSettings(steps=40, corrector=corrector)
    found = run(task(exact, sizes=(0, 0, 0, 1), count=2, settings=settings))
    expected = SCALE.numbers(exact.lattice[None].numpy().astype(float), np.array([3]))[0]
    for structure in found:
        assert structure is not None and structure.symbols == ("Na", "Cl", "Cl")
        np.testing.assert_allclose(numbers_of(structure.lattice), expected, atol=1e-4)
        difference = structure.positions - exact.positions.numpy()
        np.testing.assert_allclose(difference - np.round(difference), 0, atol=1e-4)


def test_only_allowed_elements_occur_and_a_formula_is_kept(network):
    for structure in run(task(network, wanted={"allowed": frozenset({"Nb", "C", "H"})})):
        assert structure is not None and set(structure.symbols) <= {"Nb", "C", "H"}
    for structure in run(task(network, wanted={"composition": ("Mg", "B", "B")})):
        assert structure is not None and structure.symbols == ("Mg", "B", "B")


def test_types_are_shown_one_after_the_other_and_stay(network):
    chosen = task(network, wanted={"allowed": frozenset({"Nb", "C"})}, settings=SamplerSettings(steps=20))
    state, shown = init(chosen), []
    assert not state.crystals.types.any()
    for _ in range(20):
        assert {symbol for each in structures(chosen, state) for symbol in each.symbols} <= {"Nb", "C"}
        after = step(chosen, state)
        seen = state.crystals.types.sum(-1) > 0
        assert torch.equal(after.crystals.types[seen], state.crystals.types[seen])
        state = after
        shown.append(float((state.crystals.types.sum(-1) * state.crystals.real).sum() / state.crystals.real.sum()))
    assert shown == sorted(shown) and shown[-1] == 1 and 0.2 < shown[9] < 0.8
    with pytest.raises(ValueError, match="all steps"):
        step(chosen, state)


def test_elements_are_drawn_with_their_probabilities():
    numbers = torch.rand(40_000, 1, 100, generator=torch.Generator().manual_seed(0))
    likely = torch.full((100,), -torch.inf)
    likely[[3, 7, 99]] = torch.tensor([0.5, 0.2, 0.3]).log() + 5  # up to a constant
    counts = Counter(drawn_elements(likely, numbers).flatten().tolist())
    assert set(counts) == {3, 7, 99}
    assert [counts[k] / 40_000 for k in (3, 7, 99)] == pytest.approx([0.5, 0.2, 0.3], abs=0.01)
    least, most = torch.zeros(1, 1, 100), torch.full((1, 1, 100), 1 - 2**-24)
    assert int(drawn_elements(likely, least)) == 3 and int(drawn_elements(likely, most)) == 3


def test_the_same_seed_gives_the_same_samples_and_another_one_does_not(network):
    first, again, other = run(task(network)), run(task(network)), run(task(network, seed=8))
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.positions, two.positions)
        np.testing.assert_array_equal(one.lattice, two.lattice)
        assert one.symbols == two.symbols
    assert any(
        len(one.symbols) != len(two.symbols) or one.symbols != two.symbols
        for one, two in zip(first, other, strict=True)
    )


def test_samples_do_not_depend_on_the_others_of_their_block(network):
    whole = run(task(network))
    parts = run(task(network, count=2)) + run(task(network, first=2, count=4))
    for one, two in zip(whole, parts, strict=True):
        assert one.symbols == two.symbols
        np.testing.assert_allclose(one.positions, two.positions, atol=1e-4)
        np.testing.assert_allclose(one.lattice, two.lattice, rtol=1e-4)


def test_a_state_continues_as_if_it_had_not_been_interrupted():
    chosen = task(network_of(replace(SMALL, adapter=True)), wanted={"tc_K": 10.0})
    state = step(chosen, step(chosen, init(chosen)))
    kept = replace(state, crystals=replace(state.crystals, positions=state.crystals.positions.clone()))
    for _ in range(2):
        kept = step(replace(chosen), kept)
    for one, two in zip(structures(chosen, kept), run(chosen), strict=True):
        np.testing.assert_array_equal(one.positions, two.positions)


def test_numbers_of_atoms_follow_the_weights(network):
    drawn = Counter(task(network, count=400).atoms.values())
    assert set(drawn) == {2, 3, 4, 6}
    assert drawn[3] == pytest.approx(160, abs=40)


def test_elements_that_no_network_makes_are_refused(network):
    for wanted in ({"allowed": frozenset()}, {"composition": ("Lr",)}):
        with pytest.raises(ValueError, match="H to Fm"):
            init(task(network, wanted=wanted))


def test_the_published_number_of_steps_is_the_whole_schedule():
    assert len(schedule_of(SamplerSettings(steps=1000))) == 1000
    assert len(schedule_of(SamplerSettings(steps=50))) == 50
