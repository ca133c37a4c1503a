"""Every cheat is caught in an untrusted run, and an honest kernel passes it."""

from contextlib import closing
from pathlib import Path

import pytest

import convcheck
from convcheck import Status
from convcheck.campaign.campaign import Options, run
from convcheck.execution import InProcessCandidate, SubprocessCandidate, open_candidate
from convcheck.execution.launch import untrusted
from convcheck.judging.judge import judge_case
from convcheck.model.token import read
from convcheck.model.verdicts import FAILURES
from convcheck.plugin.registry import load
from convcheck.plugin.registry_errors import BackendImportError

CHEATS = Path(__file__).parents[2] / "plugins" / "cheats.py"
CASE = "v1,x=2x4x7x6,out=6,k=3x2,s=2x1,p=1x0,g=2"


IN_TURN = (
    *("honest", "looks_around"),
    *("patches_the_comparer", "asks_the_reference", "reads_the_reference", "lets_torch", "leaves_a_process"),
)
"""Kernels that run in one process, since each process has to load torch first."""


def judged_in_turn(launcher, memory):
    candidate = SubprocessCandidate(f"{CHEATS}:in_turn", 20.0, launcher, memory=memory)
    with closing(candidate):
        cases = {name: read(CASE.replace("out=6", f"out={2 * number}")) for number, name in enumerate(IN_TURN, 1)}
        return {name: judge_case(candidate, case)[0] for name, case in cases.items()}


LOOKS = """
from pathlib import Path
if Path(__file__).with_name("run").exists(): raise RuntimeError("reports can be seen")
"""


def failing(verdicts):
    return [v for v in verdicts if v.status in FAILURES]


def assert_caught(verdicts, oracle, clause, reason):
    found = failing(verdicts)
    assert any(v.oracle == oracle and clause in ("", v.clauses[0]) and reason in v.reason for v in found), found


def test_attacks_on_the_judge_fail_and_an_honest_kernel_passes(monkeypatch):
    monkeypatch.setenv("CONVCHECK_CANARY", "1")
    # which the processes that stand around a candidate would have together, were what they share not counted once
    verdicts = judged_in_turn(untrusted, memory=450_000_000)
    assert_caught(verdicts["patches_the_comparer"], "exact", "", "")
    assert_caught(verdicts["asks_the_reference"], "parity", "", "import sandbox")
    assert_caught(verdicts["reads_the_reference"], "parity", "", "import sandbox")
    assert_caught(verdicts["lets_torch"], "call-tracing", "C2D-PURE-7", "torch.ops.aten.conv2d")
    assert_caught(verdicts["leaves_a_process"], "leftovers", "", "1 process (sleep 1000)")
    for legal in ("honest", "looks_around"):
        assert not failing(verdicts[legal]), legal
        assert any(v.clauses == ("C2D-PURE-7",) and v.status is Status.PASS for v in verdicts[legal])


def test_without_walls_it_is_seen_that_there_are_none(monkeypatch):
    monkeypatch.setenv("CONVCHECK_CANARY", "1")
    host = InProcessCandidate(lambda: load(f"{CHEATS}:looks_around"))
    assert failing(judge_case(host, read(CASE))[0])
    host = InProcessCandidate(lambda: load(f"{CHEATS}:fallback"))
    assert not failing(judge_case(host, read(CASE))[0])


@pytest.mark.parametrize(
    ("cheat", "oracle", "clause", "reason"),
    [
        ("empty_output", "exact", "C2D-PURE-2", "what was in memory before"),
        ("zeroes_the_input", "contract", "C2D-PURE-1", "changed the bytes of x"),
        ("constant", "exact", "", ""),
        ("cached_by_shape", "bounded", "", ""),
        ("no_bias", "exact", "", ""),
        ("late", "memory", "C2D-PURE-6", "earlier call changed"),
        ("lazy", "contract", "C2D-PURE-3", "returned a Lazy"),
        ("half_precision", "bounded", "", ""),
        ("one_output_buffer", "memory", "C2D-PURE-6", "earlier call changed"),
    ],
)
def test_a_wrong_result_is_caught_wherever_it_runs(cheat, oracle, clause, reason):
    host = InProcessCandidate(lambda: load(f"{CHEATS}:{cheat}"))
    verdicts = judge_case(host, read(CASE))[0]
    assert_caught(verdicts, oracle, clause, reason)


def test_one_zero_image_among_others_shows_who_looks_at_one_only():
    host = InProcessCandidate(lambda: load(f"{CHEATS}:looks_at_the_last_image"))
    assert not failing(judge_case(host, read(CASE))[0])
    mixed = [read(f"{CASE},values=mixed,seed={seed}") for seed in range(20)]
    assert any(v.oracle == "bounded" for case in mixed for v in failing(judge_case(host, case)[0]))
    honest = InProcessCandidate(lambda: load(f"{CHEATS}:honest"))
    assert not any(failing(judge_case(honest, case)[0]) for case in mixed)


def test_public_names_can_be_imported_and_neither_reports_nor_the_reference_be_seen(tmp_path):
    path = tmp_path / "kernel.py"
    names = sorted(set(convcheck.__all__) - {"ReferenceBackend", "parametrize_with_checks", "strategies"})
    (tmp_path / "run").mkdir()
    path.write_text(f"from convcheck import {', '.join(names)}\n{LOOKS}from convcheck import ReferenceBackend\n")
    with pytest.raises(BackendImportError, match=r"reference_backend\.py belongs to the judge; the import sandbox"):
        open_candidate(f"{path}:conv", untrusted=True, hidden=(tmp_path / "run",))


def test_a_torch_backend_made_of_public_names_is_judged_whole_and_is_ones_own_work():
    spec = f"{CHEATS.parent / 'my_torch_backend.py'}:MyBackend"
    with closing(SubprocessCandidate(spec, launcher=untrusted)) as candidate:
        for dtype in "float32", "bfloat16":
            case = read(f"v1,x=2x4x7x6,out=6,k=3x2,s=2x1,p=1x0,g=2,dtype={dtype}")
            verdicts = judge_case(candidate, case)[0]
            assert not failing(verdicts)
            passed = {v.oracle for v in verdicts if v.status is Status.PASS}
            assert {"exact", "bounded", "gradients-exact", "gradients-bounded", "call-tracing"} <= passed, passed


def test_a_campaign_can_be_untrusted(monkeypatch):
    monkeypatch.chdir(CHEATS.parent)
    options = Options(specs=("cheats.py:honest",), examples=3, untrusted=True)
    record = run(options, name="run", command="test")
    assert record.conforms
    assert {"reference withheld", "convolutions"} <= {g.name for g in record.backends[0].guarantees}
    assert any(c.clause == "C2D-PURE-7" and c.status is Status.PASS for c in record.counts)
