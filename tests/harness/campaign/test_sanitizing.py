"""A campaign with a share of its cases under AddressSanitizer, on a kernel in C."""

import math

import pytest
from typer.testing import CliRunner

from c_kernels import built
from convcheck.campaign.campaign import run
from convcheck.campaign.options import Options
from convcheck.campaign.sanitizing import triage_reports
from convcheck.cli.app import app
from convcheck.judging.judge import nothing_excluded
from convcheck.model.levels import Level
from convcheck.model.origins import Origin
from convcheck.model.sanitizers import Sanitizer
from convcheck.model.verdicts import Status
from convcheck.report.levels import opening
from convcheck.report.replaying import replay_arguments
from stand_ins import OUTPUT, TOKENS, failures


def judged(spec, **others):
    options = Options(specs=(spec,), examples=30, sanitize=Sanitizer.ADDRESS, **others)
    return run(options, name="run", command="test")


def replayed(arguments):
    return CliRunner().invoke(app, arguments)


def test_a_right_kernel_has_no_finding_and_is_told_how_much_was_seen(tmp_path):
    record = judged(built(tmp_path))
    assert not record.findings
    (backend,) = record.backends
    (seen,) = [count for count in backend.origins if count.origin is Origin.SANITIZED]
    assert (seen.cases, seen.failing_cases) == (2, 0)
    assert backend.cases == 30  # those run again are no cases more
    assert "ran 2 cases under AddressSanitizer without a report" in opening(record)


def test_a_read_beyond_a_buffer_of_its_own_is_a_finding_that_its_command_repeats(tmp_path):
    record = judged(built(tmp_path, "-DREADS_BEYOND"), diagnosis_calls=12)
    (finding,) = record.findings
    assert (finding.level, finding.clause, finding.status) == (Level.COMPUTES, "C2D-PURE-5", Status.FAIL)
    assert finding.origins == (Origin.SANITIZED,)
    assert "heap-buffer-overflow READ of size 4 in conv at my_c_kernel.c:23" in finding.verdict.reason
    assert ",g=" in finding.reproduction.token
    assert finding.reproduction.reproduced == finding.reproduction.attempts
    assert "is reported on by AddressSanitizer in " in opening(record)
    command, *arguments = replay_arguments(finding)
    assert command == "convcheck"
    shown = replayed(arguments)
    assert (shown.exit_code, "heap-buffer-overflow" in shown.output) == (1, True)
    at = arguments.index("--sanitize")
    assert replayed(arguments[:at] + arguments[at + 2 :]).exit_code == 0  # without it, nothing is to be seen


@pytest.mark.parametrize(("calls", "until"), [(0, math.inf), (100, -math.inf)])
def test_without_calls_or_time_no_process_is_started_for_causes(calls, until):
    options = Options(specs=("absent",), sanitize=Sanitizer.ADDRESS)
    (one,) = failures(OUTPUT, TOKENS[:1])
    found = triage_reports(
        "absent", options, [one], lambda _: (), excluded=nothing_excluded, most_calls=calls, until=until
    )
    assert not found.findings
    assert found.not_looked_at == (one,)


@pytest.mark.parametrize("option", ["--in-process", "--untrusted"])
@pytest.mark.parametrize("command", [["run"], ["replay", "v1,x=1x1x1x1,out=1,k=1"]])
def test_a_sanitizer_starts_the_process_in_its_own_way(command, option):
    answer = replayed([*command, "--backend", "numpy", "--sanitize", "address", option])
    assert (answer.exit_code, option in answer.output) == (2, True)


def test_a_history_is_not_replayed_under_a_sanitizer():
    step = "v1,x=1x1x1x1,out=1,k=1"
    answer = replayed(["replay", "--history", f"{step} {step}", "--backend", "numpy", "--sanitize", "address"])
    assert (answer.exit_code, "--history" in answer.output) == (2, True)
