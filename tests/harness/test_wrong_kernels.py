import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from convcheck.campaign import Options, campaign, run
from convcheck.execution import InProcessCandidate
from convcheck.judging.blocks import generate
from convcheck.judging.judge import judge_block
from convcheck.plugin.registry import load
from convcheck.report import write_report
from convcheck.report.discrepancies import replay_command

PLUGINS = Path(__file__).parents[1] / "plugins"
KERNELS = (
    "swapped_stride",
    "swapped_padding",
    "one_pixel_tail",
    "group_order",
    "bias_per_column",
    "bias_lost_with_groups",
    "tf32_inputs",
    "stale_cache",
    "weight_gradient_tail",
    "same_pads_first",
    "accepts_anything",
    "flipped_kernel",
)


@pytest.mark.parametrize("kernel", ["my_kernel", "my_torch_kernel"])
def test_a_right_kernel_of_ones_own_passes(kernel):
    host = InProcessCandidate(lambda: load(f"{PLUGINS / kernel}.py:my_conv"))
    drawn = generate(host.capabilities, run_seed=0, block=0, size=250)
    tally = judge_block(host, drawn, 0)
    assert not tally.failures
    assert sum(tally.counts.values()) > 1000


@pytest.mark.parametrize("kernel", KERNELS)
def test_what_a_report_prints_reproduces(kernel, tmp_path, monkeypatch):
    # what a kernel behaves like is in no script, and takes as long as all the rest
    monkeypatch.setattr(campaign, "triage", partial(campaign.triage, defects=()))
    spec = f"{PLUGINS / 'wrong_kernels.py'}:{kernel}"
    options = Options(specs=(spec,), examples=100, diagnosis_calls=300)
    record = run(options, name="run", command="test", progress=lambda *_: None, checkpoint=lambda _: None)
    assert not record.conforms
    record = write_report(record, tmp_path)
    for finding in record.findings[:3]:
        script = finding.reproduction.script
        command = [sys.executable, tmp_path / script] if script else replay_command(finding)
        done = subprocess.run(command, shell=not script, capture_output=True, text=True, check=False)
        assert done.returncode == 1, (finding, done.stdout, done.stderr)
        if finding.reproduction.call is not None and script:
            assert any(
                words in done.stdout for words in ("wrong; the first", "accepted, although", "refused, although")
            )
