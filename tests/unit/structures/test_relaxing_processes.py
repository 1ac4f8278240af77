"""Relaxation in processes: the same results, stopping, the end of the processes, also of a parent that was killed."""

import multiprocessing
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

from core.errors import InputError
from core.paths import PROJECT
from core.process_identity import identity_of
from core.processors import free_memory_bytes, processors
from core.structures import interatomic, relaxing_processes
from core.structures.at_once import mapped
from core.structures.interatomic import load_chgnet
from core.structures.relaxation import STOPPED, RelaxationSettings, relax
from core.structures.relaxing_processes import MOST_PROCESSES, RelaxingProcesses
from tests import crystals
from tests.pair_potential import PairPotential

SETTINGS = RelaxationSettings(most_steps=4)
PARENT = """
import multiprocessing, threading, time
from core.structures.relaxation import RelaxationSettings
from core.structures.relaxing_processes import RelaxingProcesses
from tests import crystals

if __name__ == "__main__":
    work = crystals.rock_salt("K", "Cl", 6.0), RelaxationSettings()
    threading.Thread(target=RelaxingProcesses(2).relax, args=work, daemon=True).start()
    while not multiprocessing.active_children():
        time.sleep(0.05)
    print(multiprocessing.active_children()[0].pid, flush=True)
    time.sleep(60)
"""


def test_processes_relax_as_this_process_does():
    structures = [crystals.rock_salt("K", "Cl", 6.0), crystals.diboride("Mg", 3.1, 3.5)]
    with RelaxingProcesses(2) as processes:
        found = mapped(lambda each: processes.relax(each, SETTINGS), structures, processes.count)
        for structure, each in zip(structures, found, strict=True):
            expected = relax(structure, load_chgnet(), SETTINGS)
            assert (each.verdict, each.steps) == (expected.verdict, expected.steps)
            assert each.energy_eV_per_atom == pytest.approx(expected.energy_eV_per_atom, abs=1e-4)
            np.testing.assert_allclose(each.structure.lattice, expected.structure.lattice, atol=1e-3)
        long = RelaxationSettings(force_eV_per_A=0, stress_GPa=0, most_steps=10_000)
        asked = iter([False, False])  # then stopped, while it relaxes
        assert processes.relax(structures[0], long, lambda: next(asked, True)).verdict == STOPPED
        assert processes.relax(structures[0], SETTINGS).verdict == STOPPED
    assert processes.relax(structures[0], SETTINGS).verdict == STOPPED and not multiprocessing.active_children()


def test_a_process_that_ends_unasked_is_an_error_with_a_remedy():
    with RelaxingProcesses(2) as processes:
        relaxation = threading.Thread(target=_killed_when_started, daemon=True)
        relaxation.start()
        with pytest.raises(InputError, match="want of memory"):
            processes.relax(crystals.rock_salt("K", "Cl", 6.0), SETTINGS)


def _killed_when_started():
    while not (children := multiprocessing.active_children()):
        time.sleep(0.05)
    for child in children:
        child.kill()


def test_one_needs_no_other_process(monkeypatch):
    monkeypatch.setattr(interatomic, "load_chgnet", lambda: PairPotential(r0=3.0))
    with RelaxingProcesses(1) as processes:
        found = processes.relax(crystals.rock_salt("K", "Cl", 6.0), RelaxationSettings())
        assert found.converged and not multiprocessing.active_children()
        assert processes.relax(found.structure, SETTINGS, lambda: True).verdict == STOPPED
    assert processes.relax(found.structure, SETTINGS).verdict == STOPPED


def test_by_default_there_is_one_process_a_core_as_far_as_the_memory_goes(monkeypatch):
    for free, expected in ((None, min(processors(), MOST_PROCESSES)), (0, 1), (10**12, min(processors(), 8))):
        monkeypatch.setattr(relaxing_processes, "free_memory_bytes", lambda free=free: free)
        assert RelaxingProcesses().count == expected
    monkeypatch.undo()
    assert (free_memory_bytes() or 1) > 0
    with pytest.raises(InputError, match="needs a process"):
        RelaxingProcesses(0)


def test_the_processes_of_a_parent_that_was_killed_end(tmp_path):
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    parent = subprocess.Popen([sys.executable, script], cwd=PROJECT, stdout=subprocess.PIPE, text=True,
                              env={"PYTHONPATH": str(PROJECT), "PATH": ""})  # fmt: skip
    with parent:
        assert parent.stdout is not None
        child = identity_of(int(parent.stdout.readline()))
        assert child.exists()
        parent.kill()
        parent.wait()
        deadline = time.monotonic() + 20
        while child.exists() and time.monotonic() < deadline:
            time.sleep(0.1)
    assert not child.exists()
