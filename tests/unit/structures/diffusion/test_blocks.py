"""Blocks of samples are stored exactly."""

import numpy as np
import pytest
import torch

from core.structures.diffusion.blocks import Stopped, sampled
from core.structures.diffusion.sampler import SamplerSettings, Task, Wanted


def test_a_stored_block_is_not_computed_again(network, tmp_path):
    task = Task(network, (0, 1, 1), 0, 0, 3, Wanted(), SamplerSettings(steps=2), torch.device("cpu"))
    path, states = tmp_path / "blocks" / "0.json", []
    with pytest.raises(Stopped):
        sampled(task, path, lambda: True, states.append)
    first = sampled(task, path, lambda: False, states.append)
    again = sampled(task, path, lambda: True, states.append)
    assert [state.step for state in states] == [0, 0, 1, 2]
    for one, two in zip(first, again, strict=True):
        assert one.symbols == two.symbols
        np.testing.assert_array_equal(one.lattice, two.lattice)
        np.testing.assert_array_equal(one.positions, two.positions)
