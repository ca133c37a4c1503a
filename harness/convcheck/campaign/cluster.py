"""A cluster: the parts of a campaign are judged by the workers of Dask, on this machine or on others.

What they judge comes back line by line while they do, so that the journal has it whatever becomes of a worker. Dask
gives the parts of a lost worker to others; that a part may have been begun twice is known by its attempts, and it
counts once. The run itself, its journal, the search for causes and the reports stay with the process that the user
started.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from concurrent.futures import Executor, Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from functools import partial
from typing import Final
from uuid import uuid4

from distributed import Client, KilledWorker, LocalCluster

from convcheck.campaign.cluster_worker import Candidates, ended_by, judge_part
from convcheck.campaign.errors import JournalError
from convcheck.campaign.job import Job
from convcheck.campaign.journal import append_text
from convcheck.campaign.past import PastPart
from convcheck.campaign.scheduler import ClusterError, Outcome, Pasts, SideBySide
from convcheck.campaign.stopping import Stop
from convcheck.execution import Candidate
from convcheck.judging.tally import Tally

LOCAL: Final = "local"
"""In place of an address: a cluster of this machine, for the time of the run."""

GPU: Final = "gpu"
"""The resource that workers declare which have a device, and that parts of its backends ask for."""

_WAIT: Final = 30.0
"""Seconds in which the scheduler has to answer, and one worker to be there."""

_LATE: Final = 5.0
"""Seconds that lines may come after the part that they are of."""


def on_cluster(job: Job, candidate: Candidate, deadline: float, stop: Stop, pasts: Pasts) -> Iterator[Tally]:
    """The tallies of a job's parts, in order, as `convcheck.campaign.scheduler.tallies` gives them.

    Args:
        job: what to judge, with the address of a scheduler.
        candidate: opened here, which tells whether its parts need a device.
        deadline: of `time.perf_counter`, after which no part is begun.
        stop: whether the run is to stop.
        pasts: what was judged of a part before.

    Raises:
        ClusterError: there is no cluster, or none of its workers fits.
    """
    with ExitStack() as held:
        client = _connected(job, held)
        resources = _resources(candidate, client)
        lines = _Lines(job, client)
        client.register_plugin(Candidates(job), name=lines.topic)
        held.callback(client.unregister_worker_plugin, lines.topic)
        yield from _OnCluster(job, deadline, stop, pasts, client, resources, lines).tallies()


class _OnCluster(SideBySide):
    """Judges the parts of a job on the workers of a cluster."""

    def __init__(
        self,
        job: Job,
        deadline: float,
        stop: Stop,
        pasts: Pasts,
        client: Client,
        resources: Mapping[str, int],
        lines: _Lines,
    ) -> None:
        self._client = client
        self._resources = dict(resources)
        self._lines = lines
        workers = sum(worker["nthreads"] for worker in client.scheduler_info(n_workers=-1)["workers"].values())
        super().__init__(job, deadline, stop, pasts, max(1, workers))

    def tallies(self) -> Iterator[Tally]:
        """The tallies of the parts, in order."""
        for tally in super().tallies():
            self._lines.check()
            yield tally
        self._lines.wait()

    def _started(self) -> Executor:
        executor: Executor = self._client.get_executor(pure=False, resources=self._resources or None)
        return executor

    def _put(self, index: int, past: PastPart) -> Future[Outcome]:
        judged = self._pool.submit(judge_part, self._lines.topic, index, past)
        found: Future[Outcome] = Future()
        judged.add_done_callback(partial(self._received, found, index))
        found.set_running_or_notify_cancel()
        return found

    def _received(self, found: Future[Outcome], index: int, judged: Future[Outcome]) -> None:
        if judged.cancelled():
            return
        error = judged.exception()
        if isinstance(error, KilledWorker):  # workers died with this part again and again
            found.set_exception(BrokenProcessPool(str(error)))
        elif error is not None:
            found.set_exception(error)
        else:
            self._lines.expect(index)
            found.set_result(judged.result())

    def _tell(self) -> None:
        """Parts take about a second: what is not done until then is taken from the journal."""

    def _end(self) -> None:
        """Leave the cluster to others; what it is still at, nobody waits for."""
        self._pool.shutdown(wait=False, cancel_futures=True)


class _Lines:
    """The lines that workers send while they judge, on their way to the journal."""

    def __init__(self, job: Job, client: Client) -> None:
        self.topic = f"convcheck-{uuid4().hex}"
        self._journal = job.journal
        self._arrived = threading.Condition()
        self._expected, self._ended = set[int](), set[int]()
        self._error: JournalError | None = None
        client.subscribe_topic(self.topic, self._receive)

    def _receive(self, event: tuple[float, str]) -> None:
        line = event[1]
        with self._arrived:
            try:
                if self._journal is not None and self._error is None:
                    append_text(self._journal, line)
            except JournalError as error:
                self._error = error
            self._ended |= ended_by(line)
            self._arrived.notify_all()

    def expect(self, index: int) -> None:
        """A part is done, the last line of which comes, or has come."""
        if self._journal is not None:
            self._expected.add(index)

    def check(self) -> None:
        """Raise JournalError if a line could not be kept."""
        if self._error is not None:
            raise self._error

    def wait(self) -> None:
        """Wait for the lines of the parts that are done."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._expected <= self._ended, _LATE)
        self.check()


def _connected(job: Job, held: ExitStack) -> Client:
    """A client of the cluster, which has a worker at least."""
    address = job.options.scheduler
    try:
        if address == LOCAL:
            cluster = LocalCluster(
                n_workers=job.options.workers, threads_per_worker=1, dashboard_address=":0", silence_logs=50
            )
            address = held.enter_context(cluster)
        client: Client = held.enter_context(Client(address, timeout=_WAIT, set_as_default=False))
        client.wait_for_workers(1, timeout=_WAIT)
    except (OSError, ValueError, TimeoutError) as error:
        raise ClusterError(
            f"no cluster answers at {address!r}: {error}; expected the address of a scheduler with a worker, such as "
            f"tcp://10.0.0.1:8786, or {LOCAL!r}"
        ) from error
    return client


def _resources(candidate: Candidate, client: Client) -> Mapping[str, int]:
    """What a worker has to have for the parts of a backend."""
    versions = candidate.versions
    if "cuda" not in versions and versions.get("device", "cpu") == "cpu":
        return {}
    workers = client.scheduler_info(n_workers=-1)["workers"].values()
    if not any(worker["resources"].get(GPU) for worker in workers):
        raise ClusterError(
            f"{candidate.name} computes on a device, and no worker of the cluster has the resource {GPU!r}; start some "
            f"with: dask worker ADDRESS --nthreads 1 --resources {GPU}=1"
        )
    return {GPU: 1}
