"""What runs in the workers of a cluster: a candidate for each of their threads, and the parts that it is judged by."""

from __future__ import annotations

import json
import threading

from distributed import Worker, WorkerPlugin, get_worker

from convcheck.campaign.job import CutShortError, Job
from convcheck.campaign.journal import Line, text_of
from convcheck.campaign.past import PastPart
from convcheck.campaign.scheduler import Done, Outcome
from convcheck.execution import Candidate

_END = '{"kind":"part",'
"""How the last line of a part begins."""


class Candidates(WorkerPlugin):
    """The candidates of a worker, from the beginning of a run to its end; one that is lost with its worker is lost.

    Args:
        job: of the run.
    """

    def __init__(self, job: Job) -> None:
        self.job = job

    def setup(self, worker: Worker) -> None:
        """On the worker: nothing is opened before it is needed."""
        del worker
        self._opened: dict[int, Candidate] = {}

    def teardown(self, worker: Worker) -> None:
        """On the worker: close them."""
        del worker
        for candidate in self._opened.values():
            candidate.close()
        self._opened.clear()

    def candidate(self) -> Candidate:
        """That of this thread."""
        thread = threading.get_ident()
        if thread not in self._opened:
            self._opened[thread] = self.job.open()
        return self._opened[thread]


def judge_part(name: str, index: int, past: PastPart) -> Outcome:
    """On a worker: what comes of a part.

    Args:
        name: of the run, under which its plugin is registered and its lines are sent.
        index: of the part.
        past: what was judged of it before.
    """
    worker = get_worker()
    candidates = worker.plugins[name]
    assert isinstance(candidates, Candidates)

    def send(line: Line) -> None:
        worker.log_event(name, text_of(line))

    write_line = send if candidates.job.journal else None
    try:
        return Done(candidates.job.judge(candidates.candidate(), index, past, write_line=write_line))
    except CutShortError as cut:
        return cut


def ended_by(line: str) -> set[int]:
    """The part whose last line this is."""
    return {int(json.loads(line)["part"])} if line.startswith(_END) else set()
