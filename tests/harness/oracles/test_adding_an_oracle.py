"""A new oracle is a file and a line: shrinking, diagnosis, reports and a script come with it, whatever its name."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

import convcheck.oracles
from convcheck import Capabilities, Case
from convcheck.campaign import Options, run
from convcheck.judging.blocks import generate
from convcheck.model.calls import Operation
from convcheck.model.ladder import Ladder
from convcheck.model.token import read
from convcheck.model.verdicts import Status, Verdict
from convcheck.oracles import CallKey, Expectation, Oracle, Priority, due
from convcheck.oracles.support.compare import compare_exact
from convcheck.report import write_report
from convcheck.report.summary import summary
from convcheck_reference.convolution import conv2d

NAME = "image of ones"

CANDIDATE = """
from convcheck_backends import NumpyBackend


class ShortCut(NumpyBackend):
    '''Takes an image of ones for an empty one where there are groups.'''

    def conv2d(self, x, weight, bias, params):
        output = super().conv2d(x, weight, bias, params)
        if x.size > 8 and (x == 1).all() and params.groups > 1:
            output[...] = 0
        return output
"""


def values(trial):
    ones = np.ones_like(trial.integers.x)
    return replace(trial.integers, x=ones)


def calls(trial):
    if trial.case.batch == 0 or trial.case.dtype.startswith("complex"):
        return {}
    return {"the call": trial.call(Operation.FORWARD, values(trial))}


def expectation(trial, _quantity):
    data = values(trial)
    wide = [None if a is None else a.astype(np.float64) for a in (data.x, data.weight, data.bias)]
    right = conv2d(*wide, trial.case.params)
    return Expectation(CallKey(NAME, "the call"), right, np.zeros(right.shape))


def judge(trial):
    got = trial.array(trial.outcome(NAME, "the call"), "output")
    if got is None:
        return
    right = expectation(trial, "output").value
    found = compare_exact(got, right, np.ones(right.shape, np.bool_))
    reason = "" if found.status is Status.PASS else "an image of ones is not convolved"
    yield Verdict(NAME, "output", found.status, ("C2D-ARITH-1",), reason, evidence=found.evidence)


ADDED = Oracle(NAME, judge, calls, every=3, priority=Priority.OWN_CALLS, expectation=expectation)


@pytest.fixture(scope="module")
def reported(tmp_path_factory):
    folder = tmp_path_factory.mktemp("added")
    file = folder / "candidate.py"
    file.write_text(CANDIDATE)
    spec = f"{file}:ShortCut"
    options = Options(specs=(spec,), examples=80, dtypes=("float32",), in_process=True, reach=Ladder.QUICK)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(convcheck.oracles, "ORACLES", (*convcheck.oracles.ORACLES, ADDED))
        record = run(options, name="run", command="test")
    return write_report(record, folder / "report"), folder


def test_its_failures_are_one_finding_shrunk_and_diagnosed(reported):
    record, _ = reported
    (finding,) = record.findings
    assert finding.verdict.oracle == NAME
    assert finding.failing_cases > 3
    smallest, first = read(finding.reproduction.token), read(finding.reproduction.first_failing_case)
    assert smallest.params.multiply_adds(smallest.input_shape) < first.params.multiply_adds(first.input_shape)
    assert "groups > 1" in finding.diagnosis.failure_condition.rule.text
    assert finding.diagnosis.localization.words == "everywhere"
    assert finding.reproduction.token in summary(record, "text")


def test_its_script_repeats_the_finding_until_the_kernel_is_mended(reported):
    record, folder = reported
    script = folder / "report" / record.findings[0].reproduction.script
    (folder / "candidate.py").write_text(CANDIDATE)
    assert subprocess.run([sys.executable, script], check=False, capture_output=True).returncode == 1
    (folder / "candidate.py").write_text(CANDIDATE.replace("output[...] = 0", "pass"))
    assert subprocess.run([sys.executable, script], check=False, capture_output=True).returncode == 0


def test_it_changes_the_schedule_of_no_other(monkeypatch):
    cases = generate(Capabilities(gradients=True), run_seed=0, block=0, size=100)
    before = [due(case) for case in cases]
    monkeypatch.setattr(convcheck.oracles, "ORACLES", (ADDED, *convcheck.oracles.ORACLES))
    after = [due(case) for case in cases]
    assert any(ADDED in oracles for oracles in after)
    assert [tuple(o for o in oracles if o is not ADDED) for oracles in after] == before


def test_an_oracle_is_asked_about_its_share_of_cases():
    cases = [Case(read("v1,x=1x2x4x4,out=2,k=3").arguments, (1, 2, 4, 4), seed=seed) for seed in range(600)]
    for oracle in convcheck.oracles.ORACLES:
        asked = sum(oracle in due(case) for case in cases)
        # six standard deviations of a binomial count
        expected, allowed = len(cases) / oracle.every, 6 * (len(cases) * (oracle.every - 1)) ** 0.5 / oracle.every
        assert abs(asked - expected) <= allowed, oracle.name
