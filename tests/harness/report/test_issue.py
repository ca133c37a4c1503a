"""A bug report: its script fails as long as the bug is there, and passes once it is mended."""

import re
import shutil
import subprocess
import sys
from dataclasses import replace

import ml_dtypes
import numpy as np
import pytest

from convcheck import load
from convcheck.model.diagnosis import Diagnosis
from convcheck.model.reproduction import PackedArray, PackedTensor, Reproduction, StandaloneCall
from convcheck.model.verdicts import Status
from convcheck.report.issue import issue
from convcheck.report.own_words import script_call
from full_record import COMPLETE, RECORD
from stand_ins import verdict

TOKEN = "v1,x=1x1x2x2,out=1,k=1,bias=false"
X = np.arange(4, dtype=np.float32).reshape(1, 1, 2, 2)
WEIGHT = np.float32([[[[3]]]])

NUMPY = """
import numpy as np

def conv(x, weight, bias, stride, padding, dilation, groups):
    if x.shape[-1] == 2:
        {refusal}
    return np.einsum("nchw,oc->nohw", x, weight[..., 0, 0]) + np.float32({wrong})
"""
TORCH = """
import torch

def conv(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return torch.nn.functional.conv2d(x, weight, bias, stride, padding, dilation, groups) * {factor}
"""


def packed(**arrays):
    return {name: PackedTensor(PackedArray.of(array), "contiguous") for name, array in arrays.items()}


def call(expected=None, tolerance=0.0, **others):
    tensors = packed(**{"x": X, "weight": WEIGHT, **others})
    expected = np.asarray(X * WEIGHT if expected is None else expected)
    return StandaloneCall(
        backward="grad_output" in others,
        tensors=tensors,
        wanted=("x", "weight"),
        expected=PackedArray.of(expected.astype(np.float64)),
        tolerance=PackedArray.of(np.full(expected.shape, tolerance)),
    )


def of(spec, made, quantity="output", status=Status.FAIL, token=TOKEN):
    """A record with one finding."""
    backend = replace(RECORD.backends[0], spec=spec)
    found = verdict(quantity=quantity, status=status, reason="differs from the exact integer result")
    finding = replace(COMPLETE, verdict=found, reproduction=Reproduction(token=token, call=made))
    return replace(RECORD, backends=(backend,), findings=(finding,))


def script_of(record):
    finding, (backend,) = record.findings[0], record.backends
    call = script_call(backend.spec, finding)
    text = issue(record, finding, load(backend.spec).script_lines(call) if call else ())
    return re.search("```python\n(.*?)```", text, re.DOTALL)[1]


@pytest.fixture
def kernel(tmp_path, request):
    """Write a kernel; its file is of a name that no other test has imported."""
    file = tmp_path / f"kernel_{re.sub(r'[^a-z0-9]', '_', request.node.name.lower())}.py"

    def write(source):
        # bytecode is taken for that of a file of the same size and second
        shutil.rmtree(tmp_path / "__pycache__", ignore_errors=True)
        file.write_text(source)
        return f"{file}:conv"

    return write


def fails(text):
    """Whether a script fails in this process, which has imported torch already."""
    for name in [name for name in sys.modules if name.startswith("kernel_")]:
        del sys.modules[name]
    path = list(sys.path)
    try:
        exec(compile(text, "script", "exec"), {})
    except (AssertionError, SystemExit, ArithmeticError):
        return True
    finally:
        sys.path[:] = path
    return False


def test_the_script_of_a_wrong_kernel_ends_with_status_1_and_of_the_mended_one_with_0(kernel, tmp_path):
    spec = kernel(NUMPY.format(wrong=1, refusal="pass"))
    (tmp_path / "script.py").write_text(text := script_of(of(spec, call())))
    assert "convcheck" not in text
    assert len(text.splitlines()) < 15
    command = [sys.executable, "-B", str(tmp_path / "script.py")]
    wrong = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (wrong.returncode, "Arrays are not equal" in wrong.stderr) == (1, True)
    kernel(NUMPY.format(wrong=0, refusal="pass"))
    assert subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("made", "quantity"),
    [
        (call(), "output"),
        (call(expected=X * WEIGHT + 1e-3, tolerance=1e-2), "output"),
        (call(expected=X * 3, tolerance=np.where(X == 1, np.inf, 0.5)), "output"),
        (call(expected=np.full(X.shape, 3.0), grad_output=np.ones_like(X)), "grad_input"),
        (call(expected=[[[[6.0]]]], grad_output=np.ones_like(X)), "grad_weight"),
        (call(bias=np.float32([1]), expected=X * 3 + 1), "output"),
        (call(x=X.astype(ml_dtypes.bfloat16), weight=WEIGHT.astype(ml_dtypes.bfloat16)), "output"),
    ],
)
def test_functions_on_tensors_of_torch_are_called_with_those(kernel, made, quantity):
    spec = kernel(TORCH.format(factor=2))
    text = script_of(of(spec, made, quantity))
    assert fails(text)
    kernel(TORCH.format(factor=1))
    assert not fails(text)


@pytest.mark.parametrize("mode", ["zeros", "reflect"])
def test_torch_is_called_in_its_own_words(mode):
    token = f"v1,x=1x1x2x2,out=1,k=1,p=1,bias=false,mode={mode}"
    due = np.pad(X * 3, [(0, 0), (0, 0), (1, 1), (1, 1)], mode="constant" if mode == "zeros" else mode)
    right, wrong = (of("torch-cpu", call(expected=due + off), token=token) for off in (0, 1))
    text = script_of(wrong)
    assert "torch.nn.functional.conv2d(" in text
    assert "convcheck" not in text
    assert (fails(script_of(right)), fails(text)) == (False, True)


def test_what_is_accepted_though_it_is_illegal_has_to_raise(kernel):
    token = "v1,x=1x1x2x2,out=1,k=1,s=0,bias=false"
    made = replace(call(), expected=None, tolerance=None)
    spec = kernel(NUMPY.format(wrong=0, refusal="pass"))
    text = script_of(of(spec, made, "call", Status.WRONGLY_ACCEPTED, token))
    assert fails(text)
    kernel(NUMPY.format(wrong=0, refusal="raise ValueError"))
    assert not fails(text)


def test_what_is_refused_though_it_is_legal_has_to_return(kernel):
    made = replace(call(), expected=None, tolerance=None)
    spec = kernel(NUMPY.format(wrong=0, refusal="raise ArithmeticError"))
    text = script_of(of(spec, made, "call", Status.WRONGLY_REFUSED))
    assert fails(text)
    kernel(NUMPY.format(wrong=0, refusal="pass"))
    assert not fails(text)


def test_a_large_array_is_packed(kernel):
    x = np.arange(400, dtype=np.float32).reshape(1, 1, 20, 20)
    spec = kernel(NUMPY.format(wrong=1, refusal="pass"))
    text = script_of(of(spec, call(x=x, expected=x * 3)))
    assert "unpack(" in text
    assert fails(text)


def test_where_memory_matters_the_script_is_that_of_the_report(kernel):
    spec = kernel(NUMPY.format(wrong=1, refusal="pass"))
    made = call()
    strided = {**made.tensors, "x": replace(made.tensors["x"], layout="channels_last")}
    assert "lay_out(" in script_of(of(spec, replace(made, tensors=strided)))


def test_a_report_says_what_is_wrong_when_in_which_versions_and_what_was_tried(kernel):
    spec = kernel(NUMPY.format(wrong=1, refusal="pass"))
    record = of(spec, call())
    whole = replace(
        record.findings[0],
        diagnosis=COMPLETE.diagnosis,
        verdict=replace(COMPLETE.verdict, reason="differs"),
        reproduction=replace(record.findings[0].reproduction, attempts=3, reproduced=3),
    )
    text = issue(replace(record, findings=(whole,)), whole)
    assert text.startswith("# conv2d: output is wrong iff groups > 1 and bias (engine 1.2)\n")
    titles = ["## To reproduce", "## Expected and got", "## When it fails", "## Versions", "## What was tried"]
    assert [line for line in text.splitlines() if line.startswith("## ")] == titles
    said = " ".join(text.split())
    for part in (
        "expected at (0, 0, 1, 1): 1.5 ± 0.25",
        "got at (0, 0, 1, 1): -0.0",
        "precision 1.00, recall 1.00 on 120 cases",
        "engine: 1.2",
        "repeated: 3 of 3 times in a fresh process",
        "compared bit for bit",
    ):
        assert part in said


def test_the_title_says_what_is_illegal_and_the_layer_where_no_rule_does(kernel):
    spec = kernel(NUMPY.format(wrong=0, refusal="pass"))
    record = of(spec, call(), "call", Status.WRONGLY_ACCEPTED, "v1,x=1x1x2x2,out=2,k=1,flaw=bias_few")
    unexplained = replace(record.findings[0], diagnosis=replace(COMPLETE.diagnosis, failure_condition=None))
    title = issue(record, unexplained).splitlines()[0]
    said = "illegal arguments are accepted: the bias has an entry too few, Conv2d(1, 2, kernel_size=1)"
    assert title == f"# conv2d: {said} (engine 1.2)"


def test_what_was_seen_once_promises_no_script_that_fails(kernel):
    record = of(kernel(NUMPY.format(wrong=1, refusal="pass")), call())
    found = record.findings[0]
    once = replace(found, reproduction=replace(found.reproduction, attempts=3, reproduced=0))
    text = issue(record, once)
    assert text.startswith("# conv2d: output is wrong once and never again (engine 1.2)\n")
    assert "may end well" in text


def test_real_values_are_not_called_exact(kernel):
    spec = kernel(NUMPY.format(wrong=1, refusal="pass"))
    for made in (call(tolerance=0.1), call(x=X + 0.5)):
        record = of(spec, made)
        assert "bit for bit" not in issue(record, record.findings[0])


def test_a_finding_without_a_case_is_a_report_as_well():
    (finding,) = [f for f in RECORD.findings if not f.reproduction.token]
    assert "No one case shows it." in issue(RECORD, replace(finding, diagnosis=Diagnosis()))
