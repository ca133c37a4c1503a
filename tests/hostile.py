"""Hostile candidates: each is a small file, with what is due of it. `benchmarks/hostile.py` prints what came of all."""

import os
import re
import tempfile
import textwrap
import time
from dataclasses import dataclass, field
from pathlib import Path

from convcheck.execution import SubprocessCandidate
from convcheck.judging.judge import judge_case
from convcheck.model.token import read
from convcheck.model.verdicts import FAILURES
from convcheck_reference import ConvcheckError

CASE = read("v1,x=1x1x3x3,out=1,k=2")

MARK = "CONVCHECK_HOSTILE"
"""An environment variable by which what descends from a candidate is known, whoever its parent is."""

_FILE = """\
import ctypes, gc, locale, mmap, os, signal, socket, struct, subprocess, sys, threading, time, warnings
import numpy as np
from convcheck import Backend, Capabilities
{top}
def right(x, weight, bias):
    if not isinstance(x, np.ndarray): return torch.nn.functional.conv2d(x, weight, bias)
    windows = np.lib.stride_tricks.sliding_window_view(x, weight.shape[2:], (2, 3))
    return np.einsum("nchwij,ocij->nohw", windows, weight) + (0 if bias is None else bias[:, None, None])

def conv(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    result = right(x, weight, bias)
{body}
    return result

class Class(Backend):
    name = "hostile"
    capabilities = Capabilities(dtypes=("float32",))
    def __init__(self):
        pass
{constructor}
    def conv2d(self, x, weight, bias, params):
        return right(x, weight, bias)
"""


@dataclass(frozen=True)
class Hostile:
    """A candidate.

    Attributes:
        name: in the table.
        due: a regular expression for what has to be said of it; empty for one that is legal.
        body: what a call does before it returns the right result.
        top: what the import does.
        constructor: what its constructor does.
        options: of `SubprocessCandidate`.
        cases: how often the case is judged, each time by a fresh worker.
    """

    name: str
    due: str
    body: str = ""
    top: str = ""
    constructor: str = ""
    options: dict = field(default_factory=dict)
    cases: int = 1

    def write(self, folder):
        """The spec of the candidate, in a file of that folder."""
        body, constructor = (textwrap.indent(textwrap.dedent(text), 4 * " ") for text in (self.body, self.constructor))
        constructor = textwrap.indent(constructor, 4 * " ")
        path = Path(folder) / "hostile_kernel.py"
        path.write_text(_FILE.format(top=textwrap.dedent(self.top), body=body, constructor=constructor))
        return f"{path}:{'Class' if self.constructor else 'conv'}"


@dataclass(frozen=True)
class Came:
    """What came of a candidate.

    Attributes:
        said: what the judge says of it, a line for each failing verdict or the error that ended it.
        seconds: until it was closed.
        processes: that are left afterwards.
        files: that are left afterwards.
    """

    said: str
    seconds: float
    processes: tuple
    files: tuple

    def is_due(self, hostile):
        """Whether that is what is due, and nothing is left."""
        right = re.search(hostile.due, self.said) if hostile.due else not self.said
        return bool(right) and not self.processes and not self.files


def judged(hostile, folder):
    """What comes of a candidate that is written to a folder."""
    temporary = Path(folder) / "temporary"
    temporary.mkdir()
    spec = hostile.write(folder)
    mark = f"{hostile.name}-{os.getpid()}-{time.monotonic_ns()}"
    usual = tempfile.tempdir
    os.environ[MARK], tempfile.tempdir = mark, str(temporary)
    start = time.perf_counter()
    try:
        said = _said(spec, hostile)
    finally:
        tempfile.tempdir = usual
        del os.environ[MARK]
    seconds = time.perf_counter() - start
    return Came(said, seconds, _marked(mark), tuple(sorted(path.name for path in temporary.iterdir())))


def _said(spec, hostile):
    said = []
    try:
        candidate = SubprocessCandidate(spec, **{"limit": 2.0, "start_limit": 20.0, **hostile.options})
    except ConvcheckError as error:
        return f"{type(error).__name__}: {error}"
    try:
        for _ in range(hostile.cases):
            verdicts, _, _ = judge_case(candidate, CASE)
            said += [f"{v.status}: {v.reason}" for v in verdicts if v.status in FAILURES]
            candidate.restart()
    except ConvcheckError as error:
        said.append(f"{type(error).__name__}: {error}")
    finally:
        candidate.close()
    return "\n".join(dict.fromkeys(said))


def _marked(mark):
    """The processes with a mark in their environment that have not ended."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and f"{MARK}={mark}".encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
        except OSError:
            continue
    return tuple(found)


def _start(name, due, top, **options):
    return Hostile(f"import {name}", due, top=top, options=options)


def _made(name, due, constructor, **options):
    return Hostile(f"constructor {name}", due, constructor=constructor, options=options)


STARTS = (
    _start("hangs", "was not ready within 1 s, and was ended", "time.sleep(1000)", start_limit=1.0),
    _start("hangs in C", "was not ready within 1 s", "ctypes.CDLL(None).pause()", start_limit=1.0),
    _start(
        "stops its parent", "it stopped the process that it was started by", "os.kill(os.getppid(), signal.SIGSTOP)"
    ),
    _start("stops itself", "was not ready within 1 s", "os.kill(os.getpid(), signal.SIGSTOP)", start_limit=1.0),
    _start("kills its parent", "WorkerStartError", "os.kill(os.getppid(), signal.SIGKILL); time.sleep(9)"),
    _start("exits", r"SystemExit\(3\)", "sys.exit(3)"),
    _start("ends", "exit status 0", "os._exit(0)"),
    _start("aborts", "SIGABRT", "os.abort()"),
    _start("ends by a real-time signal", "killed by signal 40", "os.kill(os.getpid(), 40)"),
    _start("is interrupted", "KeyboardInterrupt", "raise KeyboardInterrupt"),
    _start("raises endless text", "BackendImportError(.|\\n)*xxx", "raise ValueError('x' * 50_000_000)"),
    _start("prints without end", "exit status 4(.|\n)*xxx", "os.write(1, b'x' * 5_000_000); os._exit(4)"),
    _start("closes everything", "WorkerStartError", "os.closerange(3, 64)"),
    _start("leaves a process", "", "subprocess.Popen(['sleep', '1000'], start_new_session=True)"),
    _made("hangs", "was not ready within 1 s, and was ended", "time.sleep(1000)", start_limit=1.0),
    _made("stops its parent", "it stopped the process", "os.kill(os.getppid(), signal.SIGSTOP)"),
    _made("ends", "exit status 5", "os._exit(5)"),
    _made(
        "raises what has no text",
        "BackendConstructorError|exit status",
        "raise type('E', (Exception,), {'__str__': 1})",
    ),
    Hostile(
        "every second start hangs",
        "no worker of .* could be started: it was not ready within 1 s",
        body="os.abort()",
        constructor="n = len(os.listdir(F))\nopen(f'{F}/{n}', 'w').close()\nif n % 2: time.sleep(1000)",
        top="F = os.path.dirname(__file__) + '/starts'\nos.makedirs(F, exist_ok=True)",
        options={"start_limit": 1.0},
        cases=3,
    ),
)

_JUDGED = "not F.exists() and x.shape != (1, 4, 6, 6)"
"""Not yet, and not in the call by which it is found out what the function takes."""

_ONCE = "import pathlib\nF = pathlib.Path(__file__ + '.once')"

ENDS = (
    Hostile("ends", "exit status 0", "os._exit(0)"),
    Hostile("ends with a status", "exit status 7", "os._exit(7)"),
    Hostile("aborts", "SIGABRT", "os.abort()"),
    Hostile("segmentation fault", "SIGSEGV", "ctypes.string_at(0)"),
    Hostile("is terminated", "SIGTERM", "os.kill(os.getpid(), signal.SIGTERM)"),
    Hostile("real-time signal", r"killed by signal 40\b", "os.kill(os.getpid(), 40)"),
    Hostile("kills itself", r"killed by signal 9 \(SIGKILL\)", "os.kill(os.getpid(), signal.SIGKILL)"),
    Hostile("is killed once", "", f"if {_JUDGED}: F.touch(); os.kill(os.getpid(), signal.SIGKILL)", _ONCE),
    Hostile(
        "has its guardian killed once",
        "",
        f"if {_JUDGED}: F.touch(); os.kill(int(open(f'/proc/{{os.getppid()}}/stat').read().split()[3]), 9); time.sleep(9)",
        _ONCE,
    ),
    Hostile(
        "has its guardian killed while it is imported",
        "",
        top="""
            import os, pathlib, time
            F = pathlib.Path(__file__ + '.once')
            if not F.exists(): F.touch(); os.kill(os.getppid(), 9); time.sleep(9)
        """,
    ),
    Hostile("kills its group", "SIGKILL", "os.killpg(0, signal.SIGKILL)"),
    Hostile("kills its parent", "SIGKILL", "os.kill(os.getppid(), signal.SIGKILL); time.sleep(9)"),
    Hostile("stops its parent", "stopped a process", "os.kill(os.getppid(), signal.SIGSTOP)", cases=2),
    Hostile("stops itself", "no result within", "os.kill(os.getpid(), signal.SIGSTOP)", options={"limit": 0.3}),
    Hostile("becomes another program", "exit status 0", "os.execvp('true', ['true'])"),
    Hostile("exits", "raised SystemExit: 3", "sys.exit(3)"),
    Hostile("is interrupted", "raised KeyboardInterrupt: no", "raise KeyboardInterrupt('no')"),
    Hostile("ends a generator", "raised GeneratorExit", "raise GeneratorExit"),
    Hostile(
        "raises what has no text",
        "raised E: .its text raises KeyError",
        "raise E",
        "class E(Exception):\n    def __str__(self): return {}['x']",
    ),
    Hostile(
        "raises what exits for a text",
        "raised E: .its text raises SystemExit",
        "raise E",
        "class E(Exception):\n    def __str__(self): sys.exit()",
    ),
    Hostile("raises endless text", "raised ValueError: xxx", "raise ValueError('x' * 100_000_000)"),
    Hostile("recurses without end", "raised RecursionError", "f(0)", "def f(n): return f(n + 1)"),
    Hostile("exits in a thread", "", "t = threading.Thread(target=sys.exit); t.start(); t.join()"),
    Hostile("closes its connections", "it closed its connection to the judge", "os.closerange(3, 64)"),
    Hostile("closes its connections and sleeps", "it closed its connection", "os.closerange(3, 64); time.sleep(99)"),
    Hostile("waits", "no result within", "signal.pause()", options={"limit": 0.3}),
    Hostile("computes for ever", "no result within", "while True: pass", options={"limit": 0.3}),
    Hostile("hangs in every call", "hung 5 times in a row", "signal.pause()", options={"limit": 0.2}, cases=6),
)

_WRITE = """
for fd in range(3, 64):
    try: socket.socket(fileno=os.dup(fd)).sendall({sent})
    except OSError: pass
"""
_FORGED = 'b\'[]\\n{"is":"Answer","number":0,"outcome":{"is":"Raised","kind":"a","message":"b"}}\''

CONNECTIONS = (
    Hostile("writes garbage", "wrote to the judge's connection", _WRITE.format(sent="b'\\xff' * 1000")),
    Hostile("claims a frame of 4 GB", "claims 4,294,967,3.. bytes", _WRITE.format(sent="struct.pack('<QQ', 9, 1 << 32)")),
    Hostile("claims a header of 100 MB", "claims 100,000,000 bytes before its arrays", _WRITE.format(sent="struct.pack('<QQ', 10**8, 0)")),
    Hostile(
        "forges an answer",
        "answered more than once|wrote to the judge's connection",
        _WRITE.format(sent="struct.pack('<QQ', len(A), 0) + A"),
        f"A = {_FORGED}",
    ),
)  # fmt: skip

FORKS = (
    Hostile("forks, both return", "it answered twice, from two processes", "os.fork()"),
    Hostile("forks, both raise", "it answered twice", "os.fork()\nraise ValueError('both')"),
    Hostile("forks, the child keeps the connection", "exit status 5", "if os.fork(): os._exit(5)\ntime.sleep(1000)"),
    Hostile("forks, the child hangs", "1 process", "if os.fork() == 0: time.sleep(1000)"),
    Hostile("forks, the child ends", "", "if os.fork() == 0: os._exit(0)"),
    Hostile("forks, the child exits", "", "if os.fork() == 0: sys.exit(0)"),
    Hostile("forks, the child crashes", "", "if os.fork() == 0: os.abort()"),
)

_DAEMON = """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0: os.execvp('sleep', ['sleep', '1000'])
    os._exit(0)
os.wait()
"""

PROCESSES = (
    Hostile("leaves a process", r"1 process \(sleep 1000\)", "subprocess.Popen(['sleep', '1000'])"),
    Hostile("leaves a session", r"1 process \(sleep 1000\)", "subprocess.Popen(['sleep', '1000'], start_new_session=True)"),
    Hostile("leaves a daemon", r"1 process \(sleep 1000\)", _DAEMON),
    Hostile("leaves 22", r"22 processes \(sleep 1000, ", "for _ in range(22): subprocess.Popen(['sleep', '1000'])"),
    Hostile("leaves a process and raises", "1 process", "subprocess.Popen(['sleep', '1000'])\nraise ValueError"),
    Hostile("leaves a process and dies", "exit status 1", "subprocess.Popen(['sleep', '1000'])\nos._exit(1)"),
    Hostile("leaves a process of multiprocessing", "1 process", "multiprocessing.Process(target=time.sleep, args=(1000,)).start()", "import multiprocessing"),
    Hostile("runs a process", "", "subprocess.run(['true'])"),
    Hostile("starts a process that ends", "", "subprocess.Popen(['sleep', '0.1'])"),
    Hostile("keeps a pool of processes", "", "global P\nP = P or ProcessPoolExecutor(2)\nP.submit(abs, 1).result()", "from concurrent.futures import ProcessPoolExecutor\nP = None"),
    Hostile("keeps a pool of multiprocessing", "", "global P\nP = P or multiprocessing.Pool(2)\nP.map(abs, [1])", "import multiprocessing\nP = None"),
    Hostile("keeps a pool of threads", "", "global P\nP = P or ThreadPoolExecutor(2)\nP.submit(abs, 1).result()", "from concurrent.futures import ThreadPoolExecutor\nP = None"),
)  # fmt: skip

MEMORY = (
    Hostile("has more memory than it may", "it had 0.* GB of memory; the limit is 0.30 GB", "kept = np.ones(10**8); time.sleep(1)", options={"memory": 300_000_000}),
    Hostile("has less", "", "kept = np.ones(10**6)", options={"memory": 2_000_000_000}),
    Hostile("returns far too much", "it has shape .* bytes; expected fewer than", "result = np.zeros(3 * 10**7)"),
    Hostile("prints megabytes", "", "os.write(1, b'x' * 5_000_000)"),
)  # fmt: skip

_TORCH = "import torch, torch.utils._device"
_LIBC = "C = ctypes.CDLL(None)"

SETTINGS = (
    Hostile("rounds upward", "the rounding mode", "C.fesetround(0x800)", _LIBC),
    Hostile("flushes", "subnormal numbers are flushed", "torch.set_flush_denormal(True)", _TORCH),
    Hostile("handles errors of NumPy", "NumPy's handling", "np.seterr(all='raise')"),
    Hostile("changes folder", "the working directory", "os.chdir('/')"),
    Hostile("masks", "the umask", "os.umask(0o77 if N[0] % 2 else 0o70); N[0] += 1", "N = [0]"),
    Hostile("changes the locale", "the locale", "locale.setlocale(locale.LC_ALL, L[N[0] % 2]); N[0] += 1", "N, L = [0], ['C', 'C.UTF-8']"),
    Hostile("sets a variable", r"the environment \(A_B\)", "os.environ['A_B'] = '1'"),
    Hostile("removes a variable", r"the environment \(PATH\)", "del os.environ['PATH']"),
    Hostile("filters warnings", "the filters of warnings", "warnings.simplefilter('error')"),
    Hostile("handles a signal", r"handlers of signals \(SIGINT\)", "signal.signal(signal.SIGINT, signal.SIG_IGN)"),
    Hostile("sets an alarm", "an alarm", "signal.alarm(1000)"),
    Hostile("recurses deeper", "the recursion limit", "sys.setrecursionlimit(5000)"),
    Hostile("collects no garbage", "garbage is collected", "gc.disable()"),
    Hostile("changes torch", "default dtype, torch's number of threads, torch's grad mode", "torch.set_default_dtype(torch.float64); torch.set_num_threads(2); torch.set_grad_enabled(False)", _TORCH),
    Hostile("changes torch's device", "torch's default device", "torch.set_default_device('meta')", _TORCH),
    Hostile("imports at its first call", "", "import decimal; os.environ.setdefault('KMP_SOMETHING', '1')", "sys.modules.pop('decimal', None)"),
    Hostile("puts everything back", "", "with np.errstate(all='raise'), warnings.catch_warnings(): warnings.simplefilter('error')"),
)  # fmt: skip

ALL = (*STARTS, *ENDS, *CONNECTIONS, *FORKS, *PROCESSES, *MEMORY, *SETTINGS)
