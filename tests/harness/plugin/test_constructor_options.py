import subprocess
import sys
from contextlib import closing

import pytest

from convcheck import load
from convcheck.execution import launch
from convcheck.execution.opening import open_candidate
from convcheck.plugin.constructor_options import options_of_class
from convcheck.plugin.registry import Registry, installed_target, resolve
from convcheck.plugin.registry_errors import BackendNameError, BackendOptionError

STAND_IN = '''
from __future__ import annotations
from typing import Literal
import numpy as np
from convcheck import Backend, Capabilities

class Engine(Backend):
    """An engine with variants; one of them computes wrong."""

    name = "engine"
    capabilities = Capabilities(
        padding_modes=("zeros",), groups=False, dilation=False, string_padding=False, unbatched=False, validates=False
    )

    def __init__(
        self, threads: int = 1, *, baked: bool = False, scale: float = 1.0,
        algorithm: Literal["direct", "winograd"] = "direct", note: str = "", level=3, hook: object = None,
    ) -> None:
        if threads < 1:
            raise ValueError(f"threads={threads}; expected at least 1")
        self.given = (threads, baked, scale, algorithm, note, level)

    def conv2d(self, x, weight, bias, params):
        if self.given[3] == "winograd":
            weight = 2 * weight
        image = np.pad(x, ((0, 0), (0, 0), *params.padding))
        windows = np.lib.stride_tricks.sliding_window_view(image, params.kernel_size, (2, 3))
        output = np.einsum("nchwij,ocij->nohw", windows[:, :, :: params.stride[0], :: params.stride[1]], weight)
        return output if bias is None else output + bias[:, None, None]

    def versions(self):
        return {"given": repr(self.given)}

def conv(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    return x
'''


@pytest.fixture
def engine(tmp_path):
    path = tmp_path / "engine.py"
    path.write_text(STAND_IN)
    return f"{path}:Engine"


@pytest.mark.parametrize(
    ("options", "given"),
    [
        ("", (1, False, 1.0, "direct", "", 3)),
        ("?threads=2&baked=yes", (2, True, 1.0, "direct", "", 3)),
        ("?scale=0.5&algorithm=winograd&baked=no", (1, False, 0.5, "winograd", "", 3)),
        ("?note=cuda:0/a&level=4", (1, False, 1.0, "direct", "cuda:0/a", 4)),
    ],
)
def test_options_are_keywords_of_the_constructor(engine, options, given):
    assert load(engine + options).given == given


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("?thread=2", r"no option 'thread'; did you mean 'threads'\? its options: threads \(a whole number, by default 1"),
        ("?hook=x", r"no option 'hook'; .*baked \(yes or no, by default no\)"),
        ("?threads=two", "option 'threads' of Engine is 'two'; expected a whole number"),
        ("?baked=maybe", "option 'baked' of Engine is 'maybe'; expected yes or no"),
        ("?algorithm=fft", "expected direct or winograd"),
        ("?scale=", "expected a number"),
        ("?threads", r"'threads' sets no option of .*; expected .*\?option=value"),
        ("?", "sets no option"),
        ("?threads=1&threads=2", "is given twice"),
    ],
)  # fmt: skip
def test_what_is_no_option_is_refused_with_what_there_is(engine, options, message):
    with pytest.raises(BackendOptionError, match=message):
        load(engine + options)


def test_a_function_and_a_misspelled_name(engine):
    with pytest.raises(BackendOptionError, match="conv has no option 'threads'; it has none"):
        load(engine.replace("Engine", "conv") + "?threads=2")
    with pytest.raises(BackendNameError, match="did you mean 'numpy'"):
        load("numpyy?threads=2")
    with pytest.raises(BackendOptionError, match="numpy has no option 'threads'; it has none"):
        load("numpy?threads=2")


def test_a_folder_may_have_a_question_mark(tmp_path):
    folder = tmp_path / "what?"
    folder.mkdir()
    (folder / "engine.py").write_text(STAND_IN)
    assert load(f"{folder}/engine.py:Engine?threads=3").given[0] == 3
    assert load(f"{folder}/engine.py:Engine").given[0] == 1


def test_names_that_are_looked_up_keep_their_options():
    registry = Registry()
    registry.register(load, "mine")
    assert registry.resolve("mine?threads=2").endswith("registry.py:load?threads=2")
    assert resolve("numpy?a=b") == "numpy?a=b"
    assert installed_target("numpy?a=b") == "convcheck_backends.numpy_reference:NumpyBackend?a=b"


def test_a_worker_gets_them(engine):
    with closing(open_candidate(f"{engine}?threads=2&note=a:b")) as candidate:
        assert candidate.versions["given"] == "(2, False, 1.0, 'direct', 'a:b', 3)"
    with pytest.raises(BackendOptionError, match="expected a whole number"):
        open_candidate(f"{engine}?threads=x")


def test_a_confined_worker_is_told_them_with_the_file_made_absolute(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert launch.untrusted("./e.py:Engine?note=a:b").spec == f"{tmp_path / 'e.py'}:Engine?note=a:b"
    assert launch.untrusted("numpy?note=a:b").spec == "numpy?note=a:b"


def test_only_what_a_text_can_say_is_an_option(engine):
    found = options_of_class(type(load(engine)))
    assert [*found] == ["threads", "baked", "scale", "algorithm", "note", "level"]


def test_the_command_line_takes_them(engine):
    def replayed(spec):
        command = [sys.executable, "-m", "convcheck", "replay", "v1,x=1x1x3x3,out=1,k=2", "--backend", spec]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    assert replayed(f"{engine}?algorithm=direct").returncode == 0
    assert replayed(f"{engine}?algorithm=winograd").returncode == 1
    refused = replayed("numpy?x=1")
    assert refused.returncode == 2
    assert "numpy has no option 'x'" in " ".join(refused.stderr.split())
    assert "Traceback" not in refused.stderr
