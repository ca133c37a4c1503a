"""Trying every way out of an untrusted run, and what becomes of each."""

import ctypes
import json
import shutil
import socket
import subprocess
import sys
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np

import convcheck
import convcheck_reference
from convcheck.execution import SubprocessCandidate
from convcheck.execution.confinement import ALL_MEANS
from convcheck.execution.launch import untrusted
from convcheck.model.calls import Call, Operation, Raised, Returned, Tensor
from convcheck_reference import Arguments

ESCAPES = Path(__file__).parent / "plugins" / "escapes"


@dataclass(frozen=True)
class Attempt:
    """A route, what it leads to, whether it is open without anybody seeing it, and why not."""

    route: str
    to: str
    open: bool
    how: str


def attempts(folder, means=ALL_MEANS, later=0.5):
    """Every route tried once, and the guarantees that held meanwhile; and what is in the report then.

    Args:
        folder: an empty one.
        means: of the system that may be used.
        later: seconds after which a child that has stayed acts.
    """
    (found,) = attempts_in_turn(folder, [(means, everything)], later)
    return found


def attempts_in_turn(folder, trials, later=0.5):
    """As `attempts`, behind one set of walls after the other: all workers are forks of one process that loads torch.

    Args:
        folder: an empty one.
        trials: for each the means that may be used, and whether a route of some name and end is tried.
        later: seconds after which a child that has stayed acts.
    """
    came, number_of_trial = [], folder / "trial"
    with ExitStack() as held:
        spec, report = _laid_out(folder, held, later)
        number_of_trial.write_text("0", encoding="ascii")
        behind = [means for means, _ in trials]
        launcher = partial(_in_turn, behind=behind, number=number_of_trial, hidden=(report.parent,))
        candidate = held.enter_context(closing(SubprocessCandidate(spec, 30.0, launcher, 0)))
        routes = [(number, *route) for number, route in enumerate(candidate.versions.items())]
        for number, (_, chosen) in enumerate(trials):
            if number:
                number_of_trial.write_text(str(number), encoding="ascii")
                candidate.replace()
            guarantees = candidate._supply.worker.process.watcher.guarantees()
            found = tuple(_attempt(candidate, *route) for route in routes if chosen(*route[1:]))
            came.append((found, guarantees, report.read_text(encoding="utf-8")))
    return came


def everything(_name, _to):
    """Whether a route is tried."""
    return True


_IN_TURN = """
from dataclasses import replace
from convcheck.execution import confined_worker
confined = confined_worker.confined
def confined_in_turn(run, *arguments, **others):
    with open({number!r}) as file:
        return confined(replace(run, means={behind!r}[int(file.read())]), *arguments, **others)
confined_worker.confined = confined_in_turn
main("""


def _in_turn(spec, behind, number, hidden):
    """As an untrusted candidate is launched; a worker is confined by the means of the number that a file holds."""
    launch = untrusted(spec, behind[0], hidden)
    *options, program = launch.arguments
    prelude = _IN_TURN.format(behind=behind, number=str(number))
    return replace(launch, arguments=(*options, program.replace("\nmain(", prelude)))


def _laid_out(folder, held, later):
    """A copy of the candidate with what it is to reach; its spec, and the report."""
    own = shutil.copytree(ESCAPES, folder / "candidate", ignore=shutil.ignore_patterns("__pycache__"))
    report = folder / "reports" / "summary.txt"
    report.parent.mkdir()
    report.write_text("DOES NOT CONFORM", encoding="utf-8")
    (folder / "others").write_text("secret", encoding="utf-8")
    victim = held.enter_context(subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE))
    held.callback(victim.kill)
    server = held.enter_context(socket.create_server(("127.0.0.1", 0)))
    abstract = held.enter_context(socket.socket(socket.AF_UNIX))
    abstract.bind(f"\0convcheck-{victim.pid}")
    abstract.listen()
    targets = {
        "pid": victim.pid,
        "report": str(report),
        "packages": [str(Path(m.__path__[0])) for m in (convcheck, convcheck_reference)],
        "server": server.getsockname(),
        "abstract": f"convcheck-{victim.pid}",
        "address": ctypes.addressof(held.enter_context(_Kept()).buffer),
        "later": later,
    }
    (own / "targets.json").write_text(json.dumps(targets), encoding="utf-8")
    return f"{own / 'candidate.py'}:Escaping", report


class _Kept:
    def __enter__(self):
        self.buffer = ctypes.create_string_buffer(8)
        return self

    def __exit__(self, *_):
        pass


def _attempt(candidate, number, name, to):
    x = np.arange(2 * 3 * 7 * 6, dtype=np.float32).reshape(2, 3, 7, 6) % 5
    x.flat[0] = number
    weight = np.arange(4 * 3 * 3 * 2, dtype=np.float32).reshape(4, 3, 3, 2) % 3
    call = Call(Operation.FORWARD, Arguments(3, 4, (3, 2), bias=False), {"x": Tensor(x), "weight": Tensor(weight)})
    outcome = candidate.call(call)
    if isinstance(outcome, Raised):
        return Attempt(name, to, False, f"{outcome.kind}: {outcome.message}")
    if not isinstance(outcome, Returned):
        return Attempt(name, to, True, str(outcome))
    if to != "convolution":
        return Attempt(name, to, True, "open")
    right = np.einsum("nchwij,ocij->nohw", np.lib.stride_tricks.sliding_window_view(x, (3, 2), (2, 3)), weight)
    if not np.array_equal(outcome.arrays.get("output"), right):
        return Attempt(name, to, True, "the trial itself is wrong: another result")
    return Attempt(name, to, not outcome.called, f"seen: {outcome.called[0]}" if outcome.called else "open")
