"""The names of the checkpoints of crystal structures. Has no heavy imports, because pages list them."""

from pathlib import Path

from core.paths import CHECKPOINTS

BASE, WITH_TC = "crystal-base", "crystal-tc"


def are_trained(folder: Path = CHECKPOINTS) -> bool:
    """Whether both checkpoints are there."""
    return all((folder / f"{name}.json").exists() for name in (BASE, WITH_TC))
