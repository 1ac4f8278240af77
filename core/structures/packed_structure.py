"""A structure as JSON, and its checksum."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from core.chemistry.structure import Structure


def packed(structure: Structure) -> dict[str, Any]:
    """A structure as JSON, exactly."""
    return {
        "lattice": structure.lattice.tolist(),
        "symbols": list(structure.symbols),
        "positions": structure.positions.tolist(),
    }


def unpacked(content: Mapping[str, Any]) -> Structure:
    """The inverse of `packed`."""
    return Structure(np.array(content["lattice"]), tuple(content["symbols"]), np.array(content["positions"]))


def checksum(structure: Structure) -> str:
    """Ten letters and digits, equal for equal structures."""
    content = structure.lattice.tobytes() + structure.positions.tobytes() + " ".join(structure.symbols).encode()
    return hashlib.sha256(content).hexdigest()[:10]
