"""The names of the checkpoints of crystal structures. Has no heavy imports, because pages list them."""

BASE, WITH_TC = "crystal-base", "crystal-tc"
