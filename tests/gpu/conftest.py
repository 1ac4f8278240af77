"""Tests that need a CUDA device; all of them are skipped without one."""

import pytest
import torch


def pytest_collection_modifyitems(items):
    """Skip the tests of this folder without a CUDA device."""
    if torch.cuda.is_available():
        return
    for item in items:
        if "gpu" in item.path.parent.parts[-1:]:
            item.add_marker(pytest.mark.skip(reason="needs a CUDA device"))
