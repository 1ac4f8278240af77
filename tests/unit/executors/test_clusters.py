"""Addresses of schedulers, and the job script of a batch system without one."""

from __future__ import annotations

import pytest

from core.errors import InputError
from core.executors import clusters
from core.executors.clusters import BatchOptions, batch_options, connected, job_script
from core.paths import PROJECT


def test_the_job_script_asks_for_what_the_options_say():
    pytest.importorskip("dask_jobqueue")
    options = batch_options({
        "cores": 16, "memory": "64GB", "walltime": "08:00:00", "queue": "short", "account": "physics",
        "directives": ["--exclusive"], "prologue": ["module load python"],
    })  # fmt: skip
    lines = job_script("slurm", options, threads=1).splitlines()
    for line in ("#SBATCH -p short", "#SBATCH -A physics", "#SBATCH --cpus-per-task=16", "#SBATCH -t 08:00:00",
                 "#SBATCH --exclusive", "module load python", f"cd {PROJECT}", "export OMP_NUM_THREADS=1"):  # fmt: skip
        assert line in lines, line
    assert "--nworkers 16" in lines[-1] and "--nthreads 1" in lines[-1]


@pytest.mark.parametrize(("system", "line"), [("pbs", "#PBS -l walltime=01:00:00"), ("lsf", "#BSUB -W 01:00")])
def test_other_batch_systems_have_scripts_too(system, line):
    pytest.importorskip("dask_jobqueue")
    assert line in job_script(system, BatchOptions(), threads=1).splitlines()


@pytest.mark.parametrize(
    ("given", "rule"),
    [
        ({"jobs": 0}, "1 or more"),
        ({"cores": "many"}, "1 or more"),
        ({"memory": 4}, "must be text"),
        ({"prologue": "module load python"}, "list of lines"),
        ({"colour": "red"}, "unknown option"),
    ],
)
def test_wrong_options_are_refused(given, rule):
    with pytest.raises(InputError, match=rule):
        batch_options(given)


def test_batch_systems_need_their_package(monkeypatch):
    def missing(name):
        raise ImportError(name)

    monkeypatch.setattr(clusters, "import_module", missing)
    with pytest.raises(InputError, match="pip install dask-jobqueue"):
        job_script("slurm", BatchOptions(), threads=1)


def test_unknown_schedulers_and_schedulers_that_do_not_answer_are_refused(monkeypatch):
    monkeypatch.setattr(clusters, "_CONNECT_S", 1)
    for address, rule in (("nearby", "unknown kind"), ("tcp://127.0.0.1:1", "does not answer")):
        with pytest.raises(InputError, match=rule), connected(address, None, 1, None):
            pass
