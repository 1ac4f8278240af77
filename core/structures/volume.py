"""The volume of a compound from those of similar compounds with the same prototype."""

from __future__ import annotations

import numpy as np

from core.reference_data.prototypes import Prototypes
from core.structures.templates import Templates

NEAREST = 5  # templates that are averaged


def volumes_A3_per_atom(library: Prototypes, found: Templates, candidate: int) -> float:
    """Expected volume per atom of a candidate, in Å3.

    V = exp(mean of ln(V_t a / a_t)) over the NEAREST templates t, each weighted by exp(-distance), where a is the sum
    of the atomic volumes of the candidate's elements and a_t that of the template's. An element without an atomic
    volume has that of the element that it replaces.
    """
    start, end = found.starts[candidate], found.starts[candidate + 1]
    pairs = start + np.argsort(found.distances[start:end], kind="stable")[:NEAREST]
    shares = np.array(library.counts_of(int(found.prototypes[candidate])), dtype=float)
    own = np.broadcast_to(found.species[candidate], found.columns[pairs].shape)
    volumes = library.atomic_volumes_A3
    new, old = volumes[own], volumes[found.columns[pairs]]
    unknown = np.isnan(new) | np.isnan(old) | (new <= 0) | (old <= 0)
    change = (np.where(unknown, 1.0, new) * shares).sum(1) / (np.where(unknown, 1.0, old) * shares).sum(1)
    logarithms = np.log(library.volumes_A3_per_atom[found.rows[pairs]] * change)
    nearest = found.distances[pairs].min()
    return float(np.exp(np.average(logarithms, weights=np.exp(nearest - found.distances[pairs]))))
