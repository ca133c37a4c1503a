"""A call in an engine's own words: asked of a backend here, and of a worker in an environment of its own."""

import json
import sys

import numpy as np
import pytest

from convcheck import ScriptCall
from convcheck.execution.environments import DESCRIPTION
from convcheck.execution.own_words import own_words
from convcheck.plugin.own_words import OwnWordsError
from convcheck_reference import Conv2dParams
from convcheck_reference.errors import ConvcheckError

BACKEND = """
import os
import sys

import convcheck

class Speaking(convcheck.ReferenceBackend):
    name = "speaking"
    capabilities = convcheck.Capabilities()

    def script_lines(self, call):
        {body}
"""
ELSEWHERE = "speaking@1.0"
CALL = ScriptCall(
    arguments=Conv2dParams(1, 1, 1, stride=2, bias=False).arguments, dtype="float32", quantity="output", wanted=(),
    bias=False, target="speaking.py:Speaking", arrays={"x": np.float32([[[[1, 2]]]])},
)  # fmt: skip


@pytest.fixture(params=["", f"@{ELSEWHERE}"], ids=["here", "elsewhere"])
def said(request, tmp_path, monkeypatch):
    """What a backend says whose method has a body; elsewhere is this interpreter without its packages."""
    environment = tmp_path / "environments" / ELSEWHERE
    (environment / "bin").mkdir(parents=True)
    (environment / "bin" / "python").symlink_to(sys.executable)
    (environment / DESCRIPTION).write_text(json.dumps({"requirements": [], "python": "3"}))
    monkeypatch.setenv("CONVCHECK_ENV_DIR", str(environment.parent))

    def ask(body):
        (tmp_path / "speaking.py").write_text(BACKEND.format(body=body))
        return own_words(f"{tmp_path / 'speaking.py'}:Speaking{request.param}", CALL)

    return ask


def test_the_layer_and_its_arrays_reach_the_backend(said):
    lines = said("return [f'{call.arguments}', f'{call.arrays[\"x\"].tolist()} {call.quantity}']")
    assert lines == (str(CALL.arguments), "[[[[1.0, 2.0]]]] output")


def test_a_line_is_never_cut(said):
    (line,) = said("return ['x' * 30_000]")
    assert len(line) == 30_000


def test_none_are_said_where_there_are_no_words(said):
    assert said("return ()") == ()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("raise RuntimeError('no words')", "script_lines raised RuntimeError: no words"),
        ("return ['got = x', None]", "expected lines of text"),
        ("sys.exit(3)", r"script_lines raised SystemExit\(3\)"),
    ],
)
def test_what_goes_wrong_is_said(said, body, message):
    with pytest.raises(OwnWordsError, match=message):
        said(body)


@pytest.mark.parametrize("said", ["@speaking@1.0"], ids=["elsewhere"], indirect=True)
@pytest.mark.parametrize(
    ("body", "message"),
    [("os.abort()", r"the process of script_lines ended: killed by signal 6"), ("return ['x' * 5_000_000]", "be sent")],
)
def test_a_process_that_ends_or_says_too_much_is_survived(said, body, message):
    with pytest.raises(OwnWordsError, match=message):
        said(body)


def test_a_backend_that_cannot_be_loaded_is_named(said):
    with pytest.raises(ConvcheckError, match=r"unindent|invalid syntax|was never closed"):
        said("return (")
