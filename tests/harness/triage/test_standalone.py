import subprocess
import sys

import pytest

from convcheck.campaign import Options, run
from convcheck.report import write_report

CANDIDATE = """
import numpy as np
from convcheck import Backend, Capabilities, Profile
from convcheck_reference import FORMATS, Conv2dParams, conv2d

HALF = Profile("sums-in-half", FORMATS["float16"])


class Half(Backend):
    '''Sums in float16, as it promises; loses the last column.'''

    name = "half"
    capabilities = Capabilities(profiles={"float32": HALF})

    def conv2d(self, x, weight, bias, params):
        params = Conv2dParams.of(params.arguments)
        params.output_shape(x.shape)
        if weight.shape != params.weight_shape or weight.dtype != x.dtype or bias is not None and len(bias) != len(weight):
            raise ValueError("tensors that do not fit the layer")
        with np.errstate(over="ignore"):
            half = conv2d(x, weight, bias, params).astype(np.float16).astype(np.float32)
        half[..., -1] = 0
        return half
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "candidate.py").write_text(CANDIDATE)
    return tmp_path


def exit_status(script):
    return subprocess.run([sys.executable, script], check=False, capture_output=True).returncode


def judged(file):
    options = Options(specs=(f"{file}:Half",), examples=40, in_process=True)
    return run(options, name="run", command="test", progress=lambda *_: None, checkpoint=lambda _: None)


def test_the_script_of_a_backend_with_a_profile_of_its_own_has_its_data_and_its_tolerance(folder):
    record = write_report(judged(folder / "candidate.py"), folder / "report")
    scripts = [folder / "report" / f.reproduction.script for f in record.findings if f.reproduction.script]
    assert scripts
    assert [exit_status(script) for script in scripts] == [1] * len(scripts)
    mended = CANDIDATE.replace("half[..., -1] = 0", "pass")
    (folder / "candidate.py").write_text(mended)
    assert [exit_status(script) for script in scripts] == [0] * len(scripts)
    (folder / "mended.py").write_text(mended)
    assert judged(folder / "mended.py").conforms
