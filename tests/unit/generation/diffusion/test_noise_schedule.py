"""The schedule has the published values, and a shorter one has the same signal at the steps that it keeps."""

import numpy as np
import pytest

from core.generation.diffusion.noise_schedule import cosine_schedule, respaced

PUBLISHED = cosine_schedule()


def test_the_values_are_the_published_ones():
    beta, signal = PUBLISHED.beta, PUBLISHED.signal
    np.testing.assert_allclose(
        beta[[0, 1, 500, 900, 998, 999]], [4.13e-5, 4.61e-5, 3.16e-3, 1.97e-2, 0.750, 0.999], 3e-3
    )
    np.testing.assert_allclose(signal[[100, 500, 900, 999]], [0.972, 0.492, 0.0236, 2.4e-9], 2e-2)
    assert np.sqrt(1 - signal[0]) == pytest.approx(0.0064, abs=5e-5)


@pytest.mark.parametrize("steps", [10, 20, 50, 100, 250, 999])
def test_a_shorter_schedule_has_the_signal_of_the_steps_that_it_keeps(steps):
    short = respaced(PUBLISHED, steps)
    assert len(short) == steps and (np.diff(short.time) > 0).all()
    assert (short.time[0], short.time[-1]) == (0, 999)
    np.testing.assert_array_equal(short.signal, PUBLISHED.signal[short.time])
    np.testing.assert_allclose(np.cumprod(1 - short.beta), short.signal, rtol=1e-9)
    assert ((short.beta > 0) & (short.beta < 1)).all()


def test_a_shorter_schedule_keeps_a_tenth_of_its_steps_without_gaps_at_each_end():
    short = respaced(PUBLISHED, 100)
    assert list(short.time[:10]) == list(range(10)) and list(short.time[-10:]) == list(range(990, 1000))
    # No step multiplies an error of the network by more than the published first step does.
    assert (1 / np.sqrt(1 - short.beta)).max() <= (1 / np.sqrt(1 - PUBLISHED.beta)).max()


def test_the_published_number_of_steps_is_the_published_schedule():
    assert respaced(PUBLISHED, 1000) is PUBLISHED


@pytest.mark.parametrize("steps", [0, 1, 1001])
def test_other_numbers_of_steps_are_refused(steps):
    with pytest.raises(ValueError, match="cannot be shortened"):
        respaced(PUBLISHED, steps)
