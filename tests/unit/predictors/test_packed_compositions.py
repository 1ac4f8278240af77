"""Packing and unpacking keeps every bit of a composition."""

import numpy as np
import torch

from core.chemistry.composition import compositions
from core.predictors.packed_compositions import pack_compositions, unpack_compositions


def test_round_trip():
    given = compositions(["Fe", "La1.85Sr0.15CuO4", "YBa2Cu3O6.9"])
    packed = pack_compositions(given)
    assert packed["count"].tolist() == [1, 4, 4] and packed["element"].dtype == torch.uint8
    assert np.array_equal(unpack_compositions(packed), given)


def test_an_empty_row_stays_empty():
    given = np.concatenate([np.zeros((1, 118)), compositions(["MgB2"])])
    assert np.array_equal(unpack_compositions(pack_compositions(given)), given)
