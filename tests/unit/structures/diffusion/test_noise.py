"""Noise in crystals: its distribution, its targets, types that are hidden or known."""

import pytest
import torch

from core.structures.diffusion.coordinate_noise import score
from core.structures.diffusion.crystals import Crystals, one_hot
from core.structures.diffusion.noise import Drawn, hidden_atoms, hidden_shares, noise_tables, with_noise
from tests.unit.structures.diffusion.conftest import noisy_crystals

TABLES = noise_tables(torch.device("cpu"))


def crystals(b: int, s: int) -> Crystals:
    other = noisy_crystals(*[s] * b)
    return Crystals(one_hot(torch.randint(0, 90, (b, s))), other.positions, other.lattice, other.atoms)


def drawn(b: int, s: int, step: int, known: float = 0.0) -> Drawn:
    numbers = torch.randn(b, 6), torch.randn(b, s, 3), torch.rand(b, s)
    return Drawn(torch.full((b,), step), torch.full((b,), known), *numbers)


def test_the_lattice_is_found_again_from_its_velocity():
    torch.manual_seed(0)
    given, what = crystals(4, 3), drawn(4, 3, 400)
    noisy, target = with_noise(given, what, TABLES)
    kept, added = TABLES.kept[400], TABLES.added[400]
    torch.testing.assert_close(kept * noisy.lattice - added * target.lattice, given.lattice, rtol=1e-4, atol=1e-5)
    assert torch.equal(target.types, given.types)


def test_types_are_hidden_more_often_with_the_noise_and_all_at_the_last_step():
    torch.manual_seed(0)
    given = crystals(60, 20)
    for step, share in ((0, 0.001), (299, 0.3), (999, 1.0)):
        noisy, target = with_noise(given, drawn(60, 20, step), TABLES)
        assert float(target.hidden.mean()) == pytest.approx(share, abs=0.05)
        assert torch.equal(noisy.types, given.types * (1 - target.hidden)[..., None])
    assert target.hidden.all() and hidden_shares()[-1] == 1 and hidden_shares()[0] == 0.001


def test_padding_is_never_hidden():
    given = noisy_crystals(2, 4)
    what = drawn(2, 4, 999)
    assert hidden_atoms(given, what, TABLES).tolist() == [[1, 1, 0, 0], [1, 1, 1, 1]]


def test_the_target_of_coordinates_is_the_score_at_the_displacement_without_its_mean():
    torch.manual_seed(0)
    given, what = crystals(3, 5), drawn(3, 5, 900)
    noisy, target = with_noise(given, what, TABLES)
    expected = score(noisy.positions - given.positions, TABLES.sigma[900].expand(3, 5, 3)) / TABLES.rms[900]
    torch.testing.assert_close(target.positions, expected - expected.mean(1, keepdim=True), rtol=1e-3, atol=1e-4)


def test_targets_of_coordinates_have_about_the_variance_1_at_every_step():
    torch.manual_seed(0)
    given = crystals(60, 20)
    for step in (0, 300, 700, 999):
        _, target = with_noise(given, drawn(60, 20, step), TABLES)
        assert 0.85 < float(target.positions.square().mean()) < 1.1  # 19 / 20 without the mean over 20 atoms


def test_known_types_are_not_hidden():
    given = crystals(2, 3)
    noisy, target = with_noise(given, drawn(2, 3, 999, known=1.0), TABLES)
    assert torch.equal(noisy.types, given.types) and not target.hidden.any()
    assert not torch.equal(noisy.positions, given.positions)
