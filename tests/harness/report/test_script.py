import re
import subprocess
import sys
from dataclasses import replace
from itertools import count

import ml_dtypes
import numpy as np
import pytest

from convcheck.model.calls import Tensor
from convcheck.model.case import LAYOUTS
from convcheck.model.reproduction import PackedArray, PackedTensor, Reproduction, StandaloneCall
from convcheck.model.verdicts import Status
from convcheck.report.script import literal, script
from convcheck.tensors.layouts import conformed, lay_out
from convcheck.tensors.regions import heap
from full_record import COMPLETE, RECORD

TOKEN = "v1,x=2x2x3x4,out=3,k=1,s=2x1,p=1,mode=reflect"
RANDOM = np.random.default_rng(0)
X = RANDOM.standard_normal((2, 2, 3, 4)).astype(np.float32)
WEIGHT = RANDOM.standard_normal((3, 2, 1, 1)).astype(np.float32)
BIAS = np.float32([1.5, -0.0, 1e-40])

RIGHT = """
import numpy as np

def conv(x, weight, bias, stride, padding, dilation, groups):
    assert (stride, padding, dilation, groups) == (1, 0, 1, 1)
    return np.einsum("nchw,oc->nohw", x.astype(float), weight[..., 0, 0].astype(float)).astype(x.dtype)
"""
WRONG = RIGHT + "\nright = conv\ndef conv(*args, **kwargs):\n    out = right(*args, **kwargs)\n    {}\n    return out\n"
REFUSES = "def conv(x, weight, bias, stride, padding, dilation, groups):\n    raise ValueError('no such layer')\n"
TORCH = """
import torch

def conv(x, weight, bias, stride, padding, dilation, groups):
    return {}torch.nn.functional.conv2d(x, weight, bias, stride, padding, dilation, groups)
"""
BACKEND = """
import convcheck
import numpy as np

class Backend(convcheck.Backend):
    name = "own"
    capabilities = convcheck.Capabilities()

    def conv2d(self, x, weight, bias, params):
        return {} * np.einsum("nchw,oc->nohw", x.astype(float), weight[..., 0, 0].astype(float)).astype(x.dtype)

conv = Backend
"""
CALLABLE = (
    RIGHT + "\nclass Compiled:\n    def __call__(self, *args, **kwargs):\n        return {} * right(*args, **kwargs)\n"
)
CALLABLE += "\nright, conv = conv, Compiled()\n"

SOME_LAYOUTS = (*LAYOUTS[:9], "step_columns", "channel_slice")


def call(x=X, layouts=("contiguous",) * 2, expected=None, tolerance=1e-5, **tensors):
    named = {"x": (x, layouts[0]), "weight": (WEIGHT.astype(x.dtype), layouts[1])}
    named |= {name: (value, "contiguous") for name, value in tensors.items()}
    if expected is None:
        weight = named["weight"][0][..., 0, 0].astype(float)
        expected = np.einsum("nchw,oc->nohw", x.astype(float), weight)
    return StandaloneCall(
        backward="grad_output" in tensors,
        tensors={name: PackedTensor(PackedArray.of(value), layout) for name, (value, layout) in named.items()},
        expected=PackedArray.of(expected),
        tolerance=PackedArray.of(np.full(expected.shape, tolerance)),
    )


@pytest.fixture
def run(tmp_path):
    """Run the script of a finding against the source of a candidate: exit status and output."""
    numbers = count()

    def run(
        candidate,
        call,
        status=Status.FAIL,
        quantity="output",
        token="v1,x=2x2x3x4,out=3,k=1",
        edit=("", ""),
        options="",
    ):
        # by a name of its own: of a name, Python takes one file for another of the same size and second
        source = tmp_path / f"candidate{next(numbers)}.py"
        source.write_text(candidate, encoding="utf-8")
        file = tmp_path / "reproduce.py"
        backend = replace(RECORD.backends[0], spec=f"{source}:conv{options}")
        finding = replace(
            COMPLETE,
            verdict=replace(COMPLETE.verdict, status=status, quantity=quantity),
            reproduction=Reproduction(token=token, call=call),
        )
        text = script(replace(RECORD, backends=(backend,)), finding)
        assert edit[0] in text
        file.write_text(text.replace(*edit), encoding="utf-8")
        done = subprocess.run([sys.executable, file], capture_output=True, text=True, check=False, timeout=100)
        assert done.returncode in (0, 1, 2), done.stderr
        assert "SyntaxWarning" not in done.stderr
        return done.returncode, done.stdout + done.stderr

    return run


def test_wrong_values_forward(run):
    status, said = run(WRONG.format("out[1, 2, 0, 3] += 1"), call())
    assert status == 1
    assert "1 of 72 elements of output are wrong; the first:\n  at (1, 2, 0, 3): got " in said
    assert run(RIGHT, call()) == (0, "right now: every element of output is within its tolerance\n")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ("out[0, 0, 0, 0] = np.nan", 1),
        ("out = out[:1]", 1),
        ("out = out[:, :, :1]", 1),
        ("out += 9e-6", 0),
        ("out += 2e-5", 1),
    ],
)
def test_what_counts_as_wrong(run, change, status):
    assert run(WRONG.format(change), call())[0] == status


@pytest.mark.parametrize(("options", "status"), [("?scale=2", 1), ("?scale=1", 0), ("", 0), ("?weight=1", 2)])
def test_options_of_a_backend_are_part_of_the_script(run, options, status):
    scaled = BACKEND.format("self.scale").replace(
        "    def conv2d", "    def __init__(self, scale: int = 1):\n        self.scale = scale\n\n    def conv2d"
    )
    assert run(scaled, call(), options=options)[0] == status


def test_results_of_the_wrong_shape_are_not_broadcast(run):
    ones = call(x=np.zeros_like(X))
    assert run(WRONG.format("out = np.zeros((1, 1, 1, 1))"), ones)[0] == 1


def test_fractions_are_not_cut_off_beside_integers(run):
    integers = call(x=np.ones_like(X), expected=np.full((2, 3, 3, 4), 2), tolerance=0.0)
    assert run(WRONG.format("out[...] = 2.5"), integers)[0] == 1
    assert run(WRONG.format("out[...] = 2"), integers)[0] == 0


def test_special_values_and_elements_that_are_not_judged(run):
    expected = np.full((2, 3, 3, 4), np.nan)
    expected[0] = np.inf
    special = call(expected=expected, tolerance=0.0)
    assert run(WRONG.format("out[0], out[1] = np.inf, np.nan"), special)[0] == 0
    assert run(WRONG.format("out[0], out[1] = -np.inf, np.nan"), special)[0] == 1
    assert run(RIGHT, call(expected=expected, tolerance=np.inf))[0] == 0


def test_wrong_values_backward(run):
    grad_output = RANDOM.standard_normal((2, 3, 3, 4)).astype(np.float32)
    expected = np.einsum("nchw,nohw->oc", X.astype(float), grad_output.astype(float))[..., None, None]
    tensors = {"bias": BIAS, "grad_output": grad_output}
    backward = call(expected=expected, tolerance=1e-4, **tensors)
    status, said = run(TORCH.format("0.5 * "), backward, quantity="grad_weight")
    assert status == 1
    assert "6 of 6 elements of grad_weight are wrong" in said
    assert run(TORCH.format(""), backward, quantity="grad_weight")[0] == 0
    bias = call(expected=grad_output.astype(float).sum((0, 2, 3)), tolerance=1e-4, **tensors)
    assert run(TORCH.format(""), bias, quantity="grad_bias")[0] == 0


PARTIAL = """
import numpy as np
import convcheck
from convcheck_backends import NumpyBackend

class Backend(NumpyBackend):
    def conv2d_partial_backward(self, wanted, *tensors):
        found = super().conv2d_partial_backward(wanted, *tensors)
        return found._replace(weight={} * found.weight) if wanted == ("weight",) else found

conv = Backend
"""
FIRST_LAYER = """
import torch

def conv(x, weight, bias, stride, padding, dilation, groups):
    factor = 1.0 if x.requires_grad else {}
    return torch.nn.functional.conv2d(x, factor * weight, bias, stride, padding, dilation, groups)
"""


@pytest.mark.parametrize("candidate", [PARTIAL, FIRST_LAYER], ids=["class", "torch"])
def test_gradients_of_some_operands_alone(run, candidate):
    grad_output = RANDOM.standard_normal((2, 3, 3, 4)).astype(np.float32)
    due = np.einsum("nchw,nohw->oc", X.astype(float), grad_output.astype(float))[..., None, None]
    backward = call(expected=due, tolerance=1e-4, bias=BIAS, grad_output=grad_output)
    alone = replace(backward, wanted=("weight",))
    assert run(candidate.format("0.5"), alone, quantity="grad_weight")[0] == 1
    assert run(candidate.format("1.0"), alone, quantity="grad_weight")[0] == 0
    assert run(candidate.format("0.5"), backward, quantity="grad_weight")[0] == 0


def test_bfloat16(run):
    values = call(x=X.astype(ml_dtypes.bfloat16), tolerance=0.05)
    token = "v1,x=2x2x3x4,out=3,k=1,dtype=bfloat16"
    for right, wrong in ((RIGHT, WRONG.format("out[0] = 9")), (TORCH.format(""), TORCH.format("2 * "))):
        assert run(wrong, values, token=token)[0] == 1
        assert run(right, values, token=token)[0] == 0


def test_a_weight_of_another_dtype_is_refused(run):
    mixed = replace(call(), tensors={**call(X).tensors, "weight": call(X.astype(ml_dtypes.bfloat16)).tensors["weight"]})
    token = "v1,x=2x2x3x4,out=3,k=1,flaw=weight_dtype"
    assert run(REFUSES, mixed, Status.WRONGLY_ACCEPTED, "call", token)[0] == 0


def test_wrongly_accepted(run):
    status, said = run(RIGHT, call(), Status.WRONGLY_ACCEPTED, "call")
    assert (status, said) == (1, "accepted, although it is illegal: {'output': (2, 3, 3, 4)}\n")
    status, said = run(REFUSES, call(), Status.WRONGLY_ACCEPTED, "call")
    assert (status, said) == (0, "refused now, as it should be: ValueError('no such layer')\n")


def test_wrongly_refused(run):
    status, said = run(REFUSES, call(), Status.WRONGLY_REFUSED, "call")
    assert (status, said) == (1, "refused, although it is legal: ValueError('no such layer')\n")
    assert run(RIGHT, call(), Status.WRONGLY_REFUSED, "call") == (0, "accepted now, as it should be\n")


@pytest.mark.parametrize("death", ["os._exit(0)", "os.abort()", "os.kill(os.getpid(), 11)", "raise MemoryError"])
def test_crashed(run, death):
    status, said = run(WRONG.format(f"import os; {death}"), call(), Status.CRASHED, "call")
    assert status == 1
    assert "the process ended without a result" in said


def test_a_call_that_comes_back_is_mended(run):
    status, said = run(WRONG.format("print('a word of its own')"), call(), Status.CRASHED, "call")
    assert status == 0
    assert said.endswith("returned now, as it should\n")


def test_hung(run):
    hangs = WRONG.format("import threading; threading.Event().wait()")
    status, said = run(hangs, call(), Status.HUNG, "call", edit=("LIMIT = 120", "LIMIT = 2"))
    assert status == 1
    assert "no result within 2 seconds" in said


def test_a_backend_class_and_a_callable_object_are_candidates_too(run):
    for candidate in (BACKEND, CALLABLE):
        assert run(candidate.format(2), call())[0] == 1
        assert run(candidate.format(1), call())[0] == 0


def test_the_arguments_reach_the_candidate_as_spelled(run):
    takes = """
def conv(x, weight, bias, stride, padding, dilation, groups, padding_mode):
    raise ValueError(stride, padding, dilation, groups, padding_mode, bias)
"""
    said = run(takes, call(), Status.WRONGLY_REFUSED, "call", TOKEN)[1]
    assert "ValueError((2, 1), 1, 1, 1, 'reflect', None)" in said
    said = run(takes, call(), Status.WRONGLY_REFUSED, "call", "v1,x=2x2x3x4,out=3,k=1,p=same,s=none,g=two")[1]
    assert "ValueError(None, 'same', 1, 'two', 'zeros', None)" in said


@pytest.mark.parametrize("layout", SOME_LAYOUTS)
def test_layouts_reach_the_candidate_as_drawn(run, layout):
    shows = """
import numpy as np

def conv(x, weight, bias, stride, padding, dilation, groups):
    offset = x.__array_interface__["data"][0] % (2 * x.itemsize) // x.itemsize
    raise ValueError(x.strides, weight.strides, offset, np.ascontiguousarray(x).tobytes().hex())
"""
    x = conformed(X, layout)
    said = run(shows, call(x, (layout, "contiguous")), Status.WRONGLY_REFUSED, "call")[1]
    strides = {
        "channels_last": (96, 4, 32, 8),
        "sliced": (840, 168, 28, 4),
        "transposed": (96, 48, 4, 12),
        "expanded": (0, 48, 16, 4),
        "reversed": (96, 48, -16, -4),
        "broadcast": (0, 0, 0, 0),
        "step_columns": (192, 96, 32, 8),
        "channel_slice": (240, 48, 16, 4),
    }
    assert f"ValueError({strides.get(layout, (96, 48, 16, 4))}, (8, 4, 4, 4), " in said
    assert f" '{x.tobytes().hex()}')" in said
    if layout == "offset":
        assert ", 1, '" in said


def test_axes_of_size_1_have_odd_strides(run):
    shows = "def conv(x, weight, bias, stride, padding, dilation, groups):\n    raise ValueError(x.strides)\n"
    odd = call(X[:1, :, :1], ("odd_strides", "contiguous"))
    assert "ValueError((28, 16, 28, 4))" in run(shows, odd, Status.WRONGLY_REFUSED, "call")[1]


@pytest.mark.parametrize("layout", SOME_LAYOUTS)
def test_an_empty_tensor_has_a_layout_too(run, layout):
    shows = "def conv(x, weight, bias, stride, padding, dilation, groups):\n    raise ValueError(x.shape, x.strides)\n"
    empty = call(X[:0], (layout, "contiguous"))
    drawn, _ = lay_out(Tensor(X[:0], layout), heap)
    said = run(shows, empty, Status.WRONGLY_REFUSED, "call")[1]
    assert f"ValueError((0, 2, 3, 4), {drawn.strides})" in said


@pytest.mark.parametrize(
    "name", ['a"""b', '"', "C:\\new\\user.py:conv", "line\n\nraise SystemExit(7)", "\0\x1b", "é\u2028x\\"]
)
def test_no_name_breaks_out_of_the_docstring(name):
    backend = replace(RECORD.backends[0], name=name)
    text = script(replace(RECORD, backends=(backend,)), replace(COMPLETE, backend=name))
    shown = compile(text, "reproduce.py", "exec", dont_inherit=True).co_consts[0]
    assert shown.startswith(re.sub("[\0\x1b\u2028]", "�", name) + ": C2D-SHAPE-1, output, fail.\n\nConv2d(1, 1, ")
    assert shown.endswith(
        "Exit status 1 while the discrepancy is there, 0 when it is gone, 2 where the candidate cannot be loaded.\n"
    )


def test_no_spelling_of_a_case_breaks_out_of_the_docstring(run):
    token = 'v1,x=1x1x2x2,out=1,k=1,mode=""" + \\N{x} + """'
    refused = call()
    assert run(REFUSES, refused, Status.WRONGLY_ACCEPTED, "call", token)[0] == 0


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64", "complex64", "complex128", "int64"])
@pytest.mark.parametrize("shape", [(), (3,), (2, 0), (5, 20)])
def test_literals_are_the_array_bit_for_bit(dtype, shape):
    array = np.asarray(RANDOM.standard_normal(shape) * 1000).astype(dtype)
    assert_read_back(array)


@pytest.mark.parametrize(
    "values", [[np.nan, np.inf, -np.inf], [-0.0, 5e-324, 1 / 3], [complex(-0.0, 1), complex(1, -0.0)]]
)
def test_literals_keep_special_values(values):
    assert_read_back(np.array(values))


def assert_read_back(array):
    namespace = {
        "np": np,
        "bfloat16": ml_dtypes.bfloat16,
        "unpack": lambda d, t, s: PackedArray(np.dtype(t).name, s, d).array,
    }
    again = eval(literal(PackedArray.of(array)), namespace)
    assert (again.dtype, again.shape, again.tobytes()) == (array.dtype, array.shape, array.tobytes())


def test_small_arrays_can_be_read_in_the_script():
    assert literal(PackedArray.of(np.float32([1.5, -2]))) == "np.array([1.5, -2.0], dtype=np.float32)"


def test_a_finding_without_a_call_of_its_own_has_a_script_that_asks_convcheck():
    for finding in RECORD.findings[1:]:
        text = script(RECORD, finding)
        assert bool(text) is bool(finding.reproduction.token)
        if text:
            compile(text, "reproduce.py", "exec")
            assert repr(finding.reproduction.token) in text


def test_such_a_script_repeats_its_finding(tmp_path):
    finding = replace(RECORD.findings[1], backend="convcheck.defects:stride-exchanged")
    token = "v1,x=1x1x4x5,out=1,k=1,s=1x2"
    finding = replace(finding, reproduction=replace(finding.reproduction, token=token))
    for backend, status in (("convcheck.defects:stride-exchanged", 1), ("numpy", 0)):
        file = tmp_path / "reproduce.py"
        file.write_text(script(RECORD, replace(finding, backend=backend)))
        assert subprocess.run([sys.executable, file], check=False, capture_output=True).returncode == status


def test_a_candidate_that_cannot_be_loaded_says_nothing_about_the_discrepancy(run):
    status, said = run("import an_engine_that_is_not_here", call())
    assert status == 2
    assert "cannot be loaded" in said
    assert "an_engine_that_is_not_here" in said


def test_a_backend_in_an_environment_of_its_own_is_judged_by_convcheck_again():
    backend = replace(RECORD.backends[0], spec="kernel.py:conv@old")
    finding = replace(COMPLETE, reproduction=Reproduction(token="v1,x=2x2x3x4,out=3,k=1", call=call()))
    assert "convcheck.cli" in script(replace(RECORD, backends=(backend,)), finding)
