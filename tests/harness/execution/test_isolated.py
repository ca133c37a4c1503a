import textwrap

import pytest

from convcheck import Status
from convcheck.execution import IsolatedCandidate
from convcheck.execution.judging import judge_case
from convcheck.token import read

CASE = read("v1,x=1x1x3x3,out=1,k=2")


@pytest.mark.parametrize(
    ("body", "status", "reason"),
    [
        ("os.kill(os.getpid(), signal.SIGSEGV)", Status.CRASHED, "SIGSEGV"),
        ("os._exit(0)", Status.CRASHED, "exit status 0"),
        ("os.abort()", Status.CRASHED, "SIGABRT"),
        ("signal.pause()", Status.HUNG, "no result within"),
    ],
)
def test_a_candidate_that_gives_no_result(tmp_path, body, status, reason):
    (tmp_path / "kernel.py").write_text(
        textwrap.dedent(f"""
        import os, signal
        def conv(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
            {body}
        """)
    )
    candidate = IsolatedCandidate(f"{tmp_path / 'kernel.py'}:conv", limit=1.0)
    verdicts, _, _ = judge_case(candidate, CASE)
    candidate.close()
    assert [v.status for v in verdicts if v.quantity == "call"] == [status, status]
    assert all(reason in v.reason for v in verdicts)
