"""``--cluster``: processes of this machine, a running scheduler, or jobs of SLURM."""

from __future__ import annotations

import contextlib
import logging
import warnings
from pathlib import Path
from typing import TYPE_CHECKING

from graders.cluster.crew import Crew
from graders.cluster.roll import ClusterError
from graders.workers import Workers, nothing_imported_from_here

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from distributed import Client
    from distributed.deploy.cluster import Cluster

SCHEMES = ("tcp://", "tls://", "ucx://", "ws://", "wss://")
_SECONDS = 10
"""How long a scheduler may take to answer for the first time."""


@contextlib.contextmanager
def cluster_workers(where: str, jobs: int, say: Callable[[str], None]) -> Iterator[Workers]:
    """Give the workers of a cluster to one command; what was started for it ends with it.

    ``where`` is "local" (``jobs`` processes of this machine), the address of a scheduler, or "slurm"
    (``jobs`` jobs of SLURM, as dask's own configuration describes them). ``say`` is told, in a sentence
    each, which workers are left out and why.

    Raises:
        ClusterError: dask is not installed, or ``where`` is none of these or cannot be reached.
    """
    check_place(where)
    with nothing_imported_from_here(), _quiet(), contextlib.ExitStack() as stack:
        try:
            cluster = stack.enter_context(_started(where, jobs)) if where in _STARTED else None
            client = stack.enter_context(_client(where if cluster is None else cluster))
            threads = sum(client.nthreads().values())
        except ImportError as error:
            msg = f"--cluster needs dask ({error}); pip install 'pytest-symmetry[cluster]'"
            raise ClusterError(msg) from None
        except (OSError, TimeoutError, ValueError) as error:
            said = " ".join(str(error).split())
            why, advice = said or type(error).__name__, _ADVICE[where in _STARTED]
            msg = f"{where}: there is no cluster to be had ({why}); {advice}"
            raise ClusterError(msg) from None
        expected = threads if cluster is None else max(jobs, threads)
        workers = Workers(max(1, expected), lambda _: Crew(client, where, say, grow))

        def grow(threads: int) -> None:
            workers.jobs = max(workers.jobs, threads)  # more workers came than were expected

        yield stack.enter_context(workers)


def check_place(where: str) -> None:
    """Require that ``where`` may be a cluster.

    Raises:
        ClusterError: it is neither "local" nor "slurm" nor an address.
    """
    if where not in _STARTED and not where.startswith(SCHEMES):
        msg = f"--cluster {where}: give local, slurm, or the address of a scheduler: tcp://HOST:PORT"
        raise ClusterError(msg)


@contextlib.contextmanager
def _client(where: str | Cluster) -> Iterator[Client]:
    from distributed import Client

    with Client(where, timeout=_SECONDS, set_as_default=False) as client:
        yield client


@contextlib.contextmanager
def _started(where: str, jobs: int) -> Iterator[Cluster]:
    cluster = _STARTED[where](jobs)
    try:
        yield cluster
    finally:
        with contextlib.suppress(OSError, TimeoutError):  # a worker that is paused does not say goodbye
            cluster.close()


def local_cluster(jobs: int) -> Cluster:
    """Return a cluster of ``jobs`` processes of this machine, which nobody else on it can give work to."""
    from distributed import LocalCluster, Security

    return LocalCluster(
        n_workers=jobs,
        threads_per_worker=1,
        processes=True,
        host="127.0.0.1",
        protocol="tls",
        security=Security.temporary(),
        dashboard_address=None,
        worker_dashboard_address=None,
        memory_limit=0,  # submissions have limits of their own
        silence_logs=logging.CRITICAL,
    )


def slurm_cluster(jobs: int) -> Cluster:
    """Return a cluster of ``jobs`` jobs of SLURM, described in dask's configuration under jobqueue.slurm.

    Only these jobs may join it and only this process may give them work: their keys are new, and lie where
    the configuration says (``shared-temp-directory``), or else in the home folder until the end.
    """
    import dask
    from dask_jobqueue.slurm import SLURMCluster

    shared = dask.config.get("jobqueue.slurm.shared-temp-directory", None) or str(Path.home())
    cluster = SLURMCluster(security=True, shared_temp_directory=shared)
    cluster.scale(jobs=jobs)
    return cluster


_STARTED: dict[str, Callable[[int], Cluster]] = {"local": local_cluster, "slurm": slurm_cluster}
_ADVICE = {
    True: "docs/cluster.md says what it needs",
    False: "see that a scheduler runs there: `dask scheduler`",
}


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep dask's own remarks away: what matters of them is said in the words of this command."""
    logger = logging.getLogger("distributed")
    before = logger.level
    logger.setLevel(logging.CRITICAL)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            yield
        finally:
            logger.setLevel(before)
