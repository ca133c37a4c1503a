"""A candidate may die, hang or write nonsense in its worker; the judge learns of it and goes on."""

import textwrap
from contextlib import closing

import numpy as np
import pytest

from convcheck import Status
from convcheck.execution import SubprocessCandidate, WorkerStartError
from convcheck.execution.launch import trusted, untrusted
from convcheck.execution.subprocess_candidate import LONGER
from convcheck.judging.judge import judge_case
from convcheck.model.calls import Call, Died, Hung, Operation, Raised, Returned, Tensor
from convcheck.model.token import read
from convcheck.plugin.registry_errors import BackendImportError, BackendNameError
from convcheck_reference import Arguments

CASE = read("v1,x=1x1x3x3,out=1,k=2")


def kernel(folder, body, top="", name="conv"):
    """A file plugin whose function does `body`, and returns x where that does not."""
    text = f"""\
import gc, os, signal, socket, sys, threading
import numpy as np
{top}
def {name}(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
{textwrap.indent(textwrap.dedent(body), "    ")}
    return x
"""
    (folder / "kernel.py").write_text(text)
    return f"{folder / 'kernel.py'}:{name}"


def call(value=0.0):
    array = np.full((1, 1, 2, 2), value, np.float32)
    return Call(Operation.FORWARD, Arguments(1, 1, 1), {"x": Tensor(array), "weight": Tensor(array[..., :1, :1])})


@pytest.mark.parametrize(
    ("body", "limit", "status", "reason"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", 10.0, Status.CRASHED, "SIGSEGV"),
        ("os._exit(0)", 10.0, Status.CRASHED, "exit status 0"),
        ("os.abort()", 10.0, Status.CRASHED, "SIGABRT"),
        ("signal.pause()", 0.2, Status.HUNG, "no result within"),
    ],
)
def test_a_candidate_that_gives_no_result(tmp_path, body, limit, status, reason):
    with closing(SubprocessCandidate(kernel(tmp_path, body), limit=limit)) as candidate:
        verdicts, _, _ = judge_case(candidate, CASE)
    assert {v.status for v in verdicts if v.quantity == "call"} == {status}
    assert all(reason in v.reason for v in verdicts if v.quantity == "call")


def test_of_several_calls_the_one_that_failed_is_known(tmp_path):
    body = """
    what = x.flat[0]
    if what == 1: os.abort()
    if what == 2: signal.pause()
    if what == 3: raise ValueError("three")
    """
    with closing(SubprocessCandidate(kernel(tmp_path, body), limit=0.5)) as candidate:
        outcomes = candidate.call_all([call(v) for v in (0, 1, 0, 1, 2, 3, 0)])
        assert [type(o) for o in outcomes] == [Returned, Died, Returned, Died, Hung, Raised, Returned]
        assert outcomes[5].message == "three"
        assert candidate.call_all([]) == []
        assert isinstance(candidate.call(call()), Returned)


def test_all_calls_of_a_batch_meet_the_same_process(tmp_path):
    spec = kernel(tmp_path, "x = np.float32(os.getpid()).reshape(1, 1, 1, 1)")
    with closing(SubprocessCandidate(spec)) as candidate:
        pids = {o.arrays["output"].item() for o in candidate.call_all([call()] * 3)}
        candidate.restart()
        assert len(pids) == 1
        assert candidate.call(call()).arrays["output"].item() not in pids


@pytest.mark.parametrize("launcher", [trusted, untrusted])
def test_calls_at_once_run_beside_each_other_in_one_process(tmp_path, launcher):
    top, body = "meeting = threading.Barrier(2)", "if x.flat[0] < 5: meeting.wait(20.0)"
    with closing(SubprocessCandidate(kernel(tmp_path, body, top), launcher=launcher)) as candidate:
        outcomes = candidate.call_at_once([[call(1.0), call(2.0)], [call(3.0), call(4.0)]])
        assert [[o.arrays["output"].flat[0] for o in each] for each in outcomes] == [[1.0, 2.0], [3.0, 4.0]]
        assert [len(each) for each in candidate.call_at_once([[call(5.0)] * 2, [call(5.0)], [call(5.0)]])] == [2, 1, 1]


def test_a_crash_or_a_hang_in_one_thread_is_that_of_all(tmp_path):
    body = """
    if x.flat[0] == 1: os.abort()
    if x.flat[0] == 2: threading.Event().wait()
    if x.flat[0] == 3: raise ValueError("three")
    """
    with closing(SubprocessCandidate(kernel(tmp_path, body), limit=0.5)) as candidate:
        for value, kind in ((1, Died), (2, Hung)):
            outcomes = candidate.call_at_once([[call()] * 2, [call(value)] * 2])
            assert [[type(o) for o in each] for each in outcomes] == [[kind], [kind]]
        outcomes = candidate.call_at_once([[call()] * 2, [call(3)]])
        assert [[type(o) for o in each] for each in outcomes] == [[Returned, Returned], [Raised]]


WRITING = """
for fd in range(3, 64):
    try: socket.socket(fileno=os.dup(fd)).sendall({sent})
    except OSError: pass
"""
RETURNED = '{"is":"Answer","number":%d,"outcome":{"is":"Returned","arrays":{"items":[]},"malformed":{"items":[]}}}'


@pytest.mark.parametrize("sent", ["b'\\xff' * 1000", "b'GET / HTTP/1.1'*9"])
def test_garbage_on_the_connection_is_a_crash(tmp_path, sent):
    with closing(SubprocessCandidate(kernel(tmp_path, WRITING.format(sent=sent)), limit=2.0)) as candidate:
        outcomes = candidate.call_all([call(), call()])
    assert [type(o) for o in outcomes] == [Died, Died]
    assert all("wrote to the judge's connection" in o.how for o in outcomes)


def test_an_answer_in_place_of_the_workers_is_seen(tmp_path):
    top = """
import struct
def forged(number):
    header = b'[]\\n' + (RETURNED % number).encode()
    return struct.pack("<QQ", len(header), 0) + header
""".replace("RETURNED", repr(RETURNED))
    with closing(SubprocessCandidate(kernel(tmp_path, WRITING.format(sent="forged(0)"), top), limit=2.0)) as candidate:
        outcomes = candidate.call_all([call(), call()])
    assert isinstance(outcomes[1], Died)
    assert "answered more than once" in outcomes[1].how


@pytest.mark.parametrize(
    ("top", "name", "error"),
    [
        ("raise RuntimeError('at import')", "conv", BackendImportError),
        ("", "missing", BackendNameError),
        ("os._exit(3)", "conv", WorkerStartError),
    ],
)
def test_a_backend_that_cannot_be_loaded_raises_as_the_registry_does(tmp_path, top, name, error):
    spec = kernel(tmp_path, "", top).replace(":conv", f":{name}")
    with pytest.raises(error):
        SubprocessCandidate(spec)


def test_a_result_of_objects_is_malformed_wherever_it_runs(tmp_path):
    with closing(SubprocessCandidate(kernel(tmp_path, "x = x.astype(object)"))) as candidate:
        assert "dtype object" in candidate.call(call()).malformed["output"]


def test_what_hangs_is_made_again_with_more_time_and_has_hung_only_if_it_does_so_twice(tmp_path):
    body = f"""
        import time
        if x.flat[0] or not os.path.exists({str(tmp_path / "seen")!r}):
            open({str(tmp_path / "seen")!r}, "w").close()
            time.sleep(60)
    """
    with closing(SubprocessCandidate(kernel(tmp_path, body), limit=0.5)) as candidate:
        outcomes = candidate.call_all([call(), call(), call(1.0), call(1.0), call()])
    assert [type(outcome) for outcome in outcomes] == [Returned, Returned, Hung, Hung, Returned]
    assert [outcomes[at].limit for at in (2, 3)] == [LONGER * 0.5, 0.5]
