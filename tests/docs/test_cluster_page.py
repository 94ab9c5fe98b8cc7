"""The recipe for SLURM in cluster.md, followed to the job's script: further one needs SLURM."""

import json
import re
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))
from benchmarks.cluster import simulate
from graders.cluster.connecting import slurm_cluster

dask = pytest.importorskip("dask", reason="pip install pytest-symmetry[cluster]")
pytest.importorskip("dask_jobqueue", reason="pip install pytest-symmetry[cluster]")
PAGE = Path(__file__).parents[2] / "docs" / "cluster.md"


@pytest.fixture
def blocks():
    """The page's configuration, and the script that it shows."""
    text = PAGE.read_text(encoding="utf-8")
    ((configuration, script),) = re.findall(r"```yaml\n(.*?)```.*?```text\n(#!.*?)```", text, re.DOTALL)
    return configuration, script


@pytest.mark.skipif(sys.platform != "linux", reason="the name of the network is that of Linux")
@pytest.mark.filterwarnings("ignore")  # dask's own
def test_the_script_is_the_one_that_the_configuration_gives(blocks, tmp_path):
    """Its last line starts workers with keys of their own, which only their owner may read."""
    import yaml

    configuration, script = blocks
    asked = yaml.safe_load(configuration)
    asked["jobqueue"]["slurm"] |= {"interface": "lo", "shared-temp-directory": str(tmp_path)}
    with dask.config.set(dask.config.merge(dask.config.config, asked)), slurm_cluster(0) as cluster:
        made, last = cluster.job_script().rstrip().rsplit("\n", 1)
        keys = list(tmp_path.iterdir())

        assert script.splitlines() == made.splitlines()
        assert "distributed.cli.dask_worker tls://" in last
        assert "--nworkers 16" in last
        assert keys
        assert {0o600} == {key.stat().st_mode & 0o777 for key in keys}


def test_the_measured_page_is_what_the_measured_figures_give():
    """So that no figure on it is anybody's memory of one."""
    kept = json.loads(simulate.COSTS.read_text(encoding="utf-8"))
    written = PAGE.with_name("cluster-benchmark.md").read_text(encoding="utf-8")

    assert simulate.page(kept) == written


@pytest.mark.parametrize(
    ("workers", "seconds"),
    [(1, 10 + 5 + 1000 * 0.2 + 50 * 0.01), (4, 10 + 5 + 250 * 0.2 + 50 * 0.01)],
)
def test_the_play_gives_what_can_be_worked_out_by_hand(workers, seconds):
    """Where nobody waits for the client: only the last answer is read after the last worker is done."""
    cost = {"before": 0, "each": 0.01, "after": 0, "worker": 0.2, "warm up": 5, "start": 10}
    found, busy = simulate.played(cost, workers, 1000)

    assert found == pytest.approx(seconds, rel=0.03)
    assert busy == pytest.approx(1000 * 0.01 / found)


def test_the_play_waits_for_a_client_that_is_the_limit():
    cost = {"before": 0.001, "each": 0.01, "after": 0.002, "worker": 0.2, "warm up": 0, "start": 0}
    found, busy = simulate.played(cost, 1000, 100_000)

    assert found == pytest.approx(100_000 * 0.013, rel=0.01)
    assert busy > 0.99
