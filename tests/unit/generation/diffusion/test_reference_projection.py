"""The filter of ILVR has the properties of the published resizing."""

import numpy as np
import pytest

from core.generation.diffusion.reference_projection import reference_projection

# Scale factor -> trace, smallest and largest element of the diagonal, deviation from a projector.
VALUES = {
    2: (39.09, 0.343, 0.603, 0.064),
    3: (26.34, 0.203, 0.416, 0.062),
    4: (19.79, 0.145, 0.315, 0.042),
    6: (13.29, 0.094, 0.212, 0.030),
}


@pytest.mark.parametrize("factor", VALUES)
def test_the_matrix_has_the_values_of_the_original(factor):
    p, diagonal = reference_projection(factor), np.diag(reference_projection(factor))
    found = np.trace(p), diagonal.min(), diagonal.max(), np.abs(p @ p - p).max()
    np.testing.assert_allclose(found, VALUES[factor], atol=6e-3)
    assert np.linalg.matrix_rank(p) == 96 // factor
    assert np.linalg.norm(p, 2) == pytest.approx(1)


@pytest.mark.parametrize("factor", VALUES)
def test_rows_and_columns_sum_to_one(factor):
    p = reference_projection(factor)
    np.testing.assert_allclose(p.sum(0), 1, atol=1e-12)
    np.testing.assert_allclose(p.sum(1), 1, atol=1e-12)


def test_factor_one_is_the_identity():
    np.testing.assert_array_equal(reference_projection(1), np.eye(96))


@pytest.mark.parametrize("factor", [0, 5, 96 * 2])
def test_factors_that_do_not_divide_the_length_are_refused(factor):
    with pytest.raises(ValueError, match="does not divide 96"):
        reference_projection(factor)
