"""Every cheat is caught in an untrusted run, and an honest kernel passes it."""

from contextlib import closing
from pathlib import Path

import pytest

import convcheck
from convcheck import Status
from convcheck.campaign.campaign import Options, run
from convcheck.execution import InProcessCandidate, SubprocessCandidate
from convcheck.execution.launch import trusted, untrusted
from convcheck.judging.judge import judge_case
from convcheck.model.token import read
from convcheck.model.verdicts import FAILURES
from convcheck.plugin.registry import load
from convcheck.plugin.registry_errors import BackendImportError

CHEATS = Path(__file__).parents[2] / "plugins" / "cheats.py"
CASE = "v1,x=2x4x7x6,out=6,k=3x2,s=2x1,p=1x0,g=2"


def judged(name, launcher=untrusted, token=CASE):
    with closing(SubprocessCandidate(f"{CHEATS}:{name}", 20.0, launcher)) as candidate:
        return judge_case(candidate, read(token))[0]


def failing(verdicts):
    return [v for v in verdicts if v.status in FAILURES]


def assert_caught(verdicts, oracle, clause, reason):
    found = failing(verdicts)
    assert any(v.oracle == oracle and clause in ("", v.clauses[0]) and reason in v.reason for v in found), found


@pytest.mark.parametrize(
    ("cheat", "oracle", "clause", "reason"),
    [
        ("patches_the_comparer", "exact", "", ""),
        ("asks_the_reference", "parity", "", "import sandbox"),
        ("reads_the_reference", "parity", "", "import sandbox"),
    ],
)
def test_an_attack_on_the_judge_fails(cheat, oracle, clause, reason):
    assert_caught(judged(cheat), oracle, clause, reason)


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


def test_who_lets_torch_compute_is_caught_by_a_watch_only():
    for launcher, caught in (trusted, False), (untrusted, True):
        found = failing(judged("fallback", launcher))
        assert [v.clauses for v in found] == [("C2D-PURE-7",)] * len(found)
        assert any("torch.ops.aten.conv2d" in v.reason for v in found) is caught


def test_torch_without_a_convolution_is_ones_own_work():
    with closing(SubprocessCandidate(f"{CHEATS.parent / 'my_torch_kernel.py'}:my_conv", 20.0, untrusted)) as candidate:
        verdicts = judge_case(candidate, read("v1,x=2x4x7x6,out=6,k=3x2,s=2x1,p=1x0"))[0]
    assert not failing(verdicts)
    assert any(v.clauses == ("C2D-PURE-7",) and v.status is Status.PASS for v in verdicts)


def test_an_honest_kernel_passes():
    verdicts = judged("honest")
    assert not failing(verdicts)
    assert any(v.clauses == ("C2D-PURE-7",) and v.status is Status.PASS for v in verdicts)


def test_nothing_of_the_judge_is_in_sight(monkeypatch):
    monkeypatch.setenv("CONVCHECK_CANARY", "1")
    assert not failing(judged("looks_around"))
    assert failing(judged("looks_around", trusted))


def test_one_zero_image_among_others_shows_who_looks_at_one_only():
    host = InProcessCandidate(lambda: load(f"{CHEATS}:looks_at_the_last_image"))
    assert not failing(judge_case(host, read(CASE))[0])
    mixed = [read(f"{CASE},values=mixed,seed={seed}") for seed in range(20)]
    assert any(v.oracle == "bounded" for case in mixed for v in failing(judge_case(host, case)[0]))
    honest = InProcessCandidate(lambda: load(f"{CHEATS}:honest"))
    assert not any(failing(judge_case(honest, case)[0]) for case in mixed)


def test_the_reference_itself_cannot_be_loaded():
    with pytest.raises(BackendImportError, match="import sandbox"):
        SubprocessCandidate("numpy", launcher=untrusted)


def test_every_public_name_but_the_reference_is_there(tmp_path):
    path = tmp_path / "kernel.py"
    names = set(convcheck.__all__) - {"ReferenceBackend"}
    kernel = "def conv(x, weight, bias, stride=1, padding=0, dilation=1, groups=1): return x"
    path.write_text(f"from convcheck import {', '.join(names)}\n{kernel}\n")
    with closing(SubprocessCandidate(f"{path}:conv", launcher=untrusted)) as candidate:
        assert candidate.capabilities.dtypes == ("float32",)
    path.write_text(f"from convcheck import ReferenceBackend\n{kernel}\n")
    with pytest.raises(BackendImportError, match=r"reference_backend\.py belongs to the judge"):
        SubprocessCandidate(f"{path}:conv", launcher=untrusted)


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
def test_a_torch_backend_made_of_public_names_is_judged_whole(dtype):
    spec = f"{CHEATS.parent / 'my_torch_backend.py'}:MyBackend"
    with closing(SubprocessCandidate(spec, launcher=untrusted)) as candidate:
        verdicts = judge_case(candidate, read(f"v1,x=2x4x7x6,out=6,k=3x2,s=2x1,p=1x0,g=2,dtype={dtype}"))[0]
    assert not failing(verdicts)
    passed = {v.oracle for v in verdicts if v.status is Status.PASS}
    assert {"exact", "bounded", "gradients-exact", "gradients-bounded"} <= passed, passed


def test_a_campaign_can_be_untrusted(monkeypatch):
    monkeypatch.chdir(CHEATS.parent)
    options = Options(specs=("cheats.py:honest",), examples=3, untrusted=True)
    record = run(options, name="run", command="test", progress=lambda *_: None, checkpoint=lambda _: None)
    assert record.conforms
    assert {"reference withheld", "convolutions"} <= {g.name for g in record.backends[0].guarantees}
    assert any(c.clause == "C2D-PURE-7" and c.status is Status.PASS for c in record.counts)
