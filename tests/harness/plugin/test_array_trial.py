import os
import subprocess
import sys
from functools import partial
from pathlib import Path
from types import FunctionType

import numpy as np
import pytest
import torch

from convcheck import SignatureError, load, replay
from convcheck.plugin import array_trial
from convcheck.plugin.array_trial import Trial, UnknownArraysError, arrays_taken
from convcheck.plugin.function_backend import library_of
from convcheck.plugin.registry_errors import BackendSignatureError
from plugins.my_kernel import my_conv

KEYWORDS = ("stride", "padding", "dilation", "groups")
TOKEN = "v1,x=1x2x3x3,out=2,k=2"


def taken(function, guess=None):
    return arrays_taken(function, KEYWORDS, "float32", guess)


class Slow:
    """An object that is called, without a hash."""

    __hash__ = None

    def __call__(self, x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
        return torch.conv2d(x, weight, bias, stride, padding, dilation, groups)

    def method(self, x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
        return my_conv(x, weight, bias, stride, padding, dilation, groups)


@pytest.mark.parametrize(
    ("function", "library"),
    [
        (my_conv, "numpy"),
        (torch.nn.functional.conv2d, "torch"),
        (torch.conv2d, "torch"),
        (partial(torch.conv2d), "torch"),
        (partial(my_conv, groups=1), "numpy"),
        (Slow(), "torch"),
        (Slow().method, "numpy"),
        (lambda x, weight, bias, **_: torch.zeros(1, 8, 6, 6).numpy(), "numpy"),
        (lambda x, weight, bias, **_: torch.zeros(1, 8, 6, 6), "torch"),
    ],
)
def test_what_comes_back_right_says_what_it_takes(function, library):
    assert taken(function) == library
    assert library_of(function) == library


def test_what_takes_either_gets_what_its_text_speaks_for():
    def either(x, weight, bias, **_):
        return x  # wrong as well, which is for the judge

    assert taken(either) == taken(either, "numpy") == "numpy"
    assert taken(either, "torch") == "torch"


def test_bfloat16_is_tried_as_well():
    assert arrays_taken(torch.conv2d, KEYWORDS, "bfloat16", None) == "torch"


def fails_in_two_ways(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
    return x.nothing_of_that_name


def test_where_both_fail_both_errors_are_said():
    with pytest.raises(
        UnknownArraysError,
        match=r"on NumPy's arrays it raised AttributeError: 'numpy.ndarray' .*; "
        r"on torch's tensors it raised AttributeError: 'Tensor' .*; declare it: @convcheck.capabilities",
    ):
        taken(fails_in_two_ways)
    with pytest.raises(
        UnknownArraysError, match=r"it returned a builtins\.int; on torch's tensors it raised ValueError"
    ):
        taken(lambda x, weight, bias, **_: 7 if isinstance(x, np.ndarray) else int("x"))


def test_its_module_is_believed_where_no_call_tells():
    assert taken(fails_in_two_ways, "torch") == "torch"
    assert library_of(fails_in_two_ways) == "torch"  # which stands at the top of this file


def test_what_is_in_its_own_text_is_believed_too():
    def lazily(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
        import torch

        return torch.nothing_of_that_name

    bare = FunctionType(lazily.__code__, {"np": np, "__builtins__": __builtins__}, argdefs=lazily.__defaults__)
    assert library_of(bare) == "torch"


def test_a_numpy_kernel_that_fails_does_not_load_torch(tmp_path):
    file = tmp_path / "kernels.py"
    file.write_text(
        "import numpy as np\ndef conv(x, weight, bias, stride, padding, dilation, groups):\n    raise ValueError\n"
    )
    code = f"import sys, convcheck\nconvcheck.load('{file}:conv')\nassert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_refuses_everything_in_one_way_is_for_the_judge():
    def refuses(x, weight, bias, **_):
        raise ValueError("no")

    assert taken(refuses) == "numpy"


def test_the_error_of_a_backend_names_it(tmp_path):
    file = tmp_path / "kernels.py"
    file.write_text("def conv(x, weight, bias, stride, padding, dilation, groups):\n    return x.nothing\n")
    with pytest.raises(BackendSignatureError, match=r"kernels\.py:conv: what it takes cannot be told: on NumPy's"):
        load(f"{file}:conv")


def test_it_is_called_once_in_a_process_and_not_at_all_where_it_declares():
    calls = []

    def counted(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
        calls.append(type(x))
        return my_conv(x, weight, bias, stride, padding, dilation, groups)

    assert library_of(counted) == library_of(counted) == "numpy"
    made = len(calls)
    assert made == len(set(calls))  # once with each kind; none where it was called in a child
    counted.__convcheck_capabilities__ = ("torch", "cpu", {})
    assert library_of(counted) == "torch"
    assert len(calls) == made


def test_what_cannot_be_called_as_a_convolution_is_not_tried():
    with pytest.raises(SignatureError):
        library_of(lambda x: x)


def test_the_first_call_that_is_judged_is_the_first_of_its_process(tmp_path):
    kernel = "import sys\nsys.path.append({!r})\nfrom my_kernel import my_conv\ncalls = []\ndef conv(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):\n    calls.append(1)\n    return my_conv(x, weight, bias, stride, padding, dilation, groups) + (len(calls) {})\n"
    folder = str(Path(sys.modules["plugins.my_kernel"].__file__).parent)
    for name, less in (("wrong", 2), ("right", 1)):
        (tmp_path / f"{name}.py").write_text(kernel.format(folder, f"< {less}"))
    assert not replay(f"{tmp_path / 'wrong.py'}:conv", TOKEN).conforms
    assert replay(f"{tmp_path / 'right.py'}:conv", TOKEN).conforms


def test_a_process_that_does_not_come_to_its_end_says_nothing():
    reading, writing = os.pipe()
    lives = subprocess.Popen(["sleep", "60"])
    assert array_trial._read(reading, lives.pid, 0.01) is None
    os.write(writing, b"[1, 2]\n")
    assert array_trial._read(reading, lives.pid, 9) is None
    os.write(writing, b'{"kind": "torch", "returned": true}\n')
    lives.kill()
    assert array_trial._read(reading, lives.pid, 9) == Trial("torch", returned=True)
    assert array_trial._read(reading, lives.pid, 9) is None
    lives.wait()
    os.close(writing)
    os.close(reading)
