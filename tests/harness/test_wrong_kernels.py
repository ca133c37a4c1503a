import subprocess
import sys
from pathlib import Path

import pytest

from convcheck.campaign import Options, run
from convcheck.execution import InProcessCandidate
from convcheck.judging.blocks import generate
from convcheck.judging.judge import judge_block
from convcheck.model.ladder import Ladder
from convcheck.plugin.registry import load
from convcheck.report import write_report
from convcheck.report.replaying import replay_command
from convcheck.triage import findings
from convcheck.triage.diagnosis.examine import Examination

PLUGINS = Path(__file__).parents[1] / "plugins"
KERNELS = (  # of each kind of finding one: a shape, values, a bias, precision, state, a gradient, an error
    "swapped_stride",
    "one_pixel_tail",
    "bias_lost_with_groups",
    "tf32_inputs",
    "stale_cache",
    "weight_gradient_tail",
    "accepts_anything",
)


@pytest.mark.parametrize("kernel", ["my_kernel", "my_torch_kernel"])
def test_a_right_kernel_of_ones_own_passes(kernel):
    host = InProcessCandidate(lambda: load(f"{PLUGINS / kernel}.py:my_conv"))
    drawn = generate(host.capabilities, run_seed=0, block=0, size=120)
    tally = judge_block(host, drawn, 0)
    assert not tally.failures
    assert sum(tally.counts.values()) > 500


@pytest.mark.parametrize("kernel", KERNELS)
def test_what_a_report_prints_reproduces(kernel, tmp_path, monkeypatch):
    # when a kernel fails and what it behaves like is in no script, and takes longer than all the rest
    monkeypatch.setattr(findings, "examine", lambda *_: Examination())
    spec = f"{PLUGINS / 'wrong_kernels.py'}:{kernel}"
    options = Options(specs=(spec,), examples=40, diagnosis_calls=60, reach=Ladder.QUICK)
    record = run(options, name="run", command="test")
    assert not record.conforms
    record = write_report(record, tmp_path)
    finding = record.findings[0]
    script = finding.reproduction.script
    command = [sys.executable, tmp_path / script] if script else replay_command(finding)
    done = subprocess.run(command, shell=not script, capture_output=True, text=True, check=False)
    assert done.returncode == 1, (finding, done.stdout, done.stderr)
    if finding.reproduction.call is not None and script:
        assert any(words in done.stdout for words in ("wrong; the first", "accepted, although", "refused, although"))
