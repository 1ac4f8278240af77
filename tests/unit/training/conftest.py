"""Fixtures of the tests of trainings."""

import pytest

from core.training import loop
from tests.no_synchronisation import no_synchronisation


@pytest.fixture
def as_on_a_gpu(monkeypatch):
    """Trainings as on a CUDA device, except that a step is not captured but made, without synchronisation."""
    monkeypatch.setattr(loop, "captures_steps", lambda: True)

    def checked(forms, changed):
        def step():
            with no_synchronisation():
                forms[-1]()

        return step

    monkeypatch.setattr(loop, "captured", checked)
