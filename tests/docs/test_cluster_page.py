"""The recipe for SLURM in cluster.md, followed to the job's script: further one needs SLURM."""

import re
from pathlib import Path

import pytest

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
