"""`convcheck env`: two releases of an engine side by side, in environments of their own."""

import json
import os
import re
import subprocess

import pytest

from convcheck.execution.environments import DESCRIPTION
from fake_engines import BACKEND, NAME, wheel


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a backend, and two releases of the engine that it needs."""
    folder = tmp_path_factory.mktemp("environments")
    (folder / "fake.py").write_text(BACKEND)
    for version in ("1.0", "2.0"):
        wheel(folder, version)
    return folder


@pytest.fixture
def convcheck(monkeypatch, command, folder):
    monkeypatch.chdir(folder)
    monkeypatch.setenv("CONVCHECK_ENV_DIR", str(folder / "envs"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return command


@pytest.fixture
def built(convcheck, folder):
    """Both releases."""
    for version in ("1.0", "2.0"):
        if not (folder / "envs" / f"fakeengine@{version}" / DESCRIPTION).is_file():
            code, out, err = convcheck("env", "add", f"fakeengine-{version}-py3-none-any.whl")
            assert (code, f"built fakeengine@{version}" in out) == (0, True), err
    return convcheck


def test_two_releases_get_verdicts_of_their_own_and_diff_tells_them_apart(built, folder):
    (folder / "cases.txt").write_text("v1,x=1x2x2x2,out=2,k=1,g=2\nv1,x=1x2x3x3,out=2,k=2\n")
    options = ("--batch", "cases.txt", "--workers", "1", "--diagnosis-calls", "40", "--database", "none")
    codes = [
        built(command, *more, "--name", f"{command}-{version}")[0]
        for version in ("1.0", "2.0")
        for command, *more in (
            ("run", "-b", f"fake.py:{NAME}@fakeengine@{version}", *options),
            ("matrix", "--from", f"reports/run-{version}"),
        )
    ]
    assert codes == [0, 0, 1, 1]
    for version in ("1.0", "2.0"):
        (engine,) = json.loads((folder / "reports" / f"matrix-{version}" / "matrix.json").read_text())["engines"]
        assert engine["versions"] == {"fakeengine": version}
    code, out, _ = built("diff", "reports/matrix-1.0", "reports/matrix-2.0")
    assert (code, "@1.0 → " in " ".join(out.split()), " new cell" in out) == (1, True, True)
    assert built("diff", "reports/matrix-2.0", "reports/matrix-1.0")[0] == 0


def test_a_bug_report_is_in_the_own_words_of_an_engine_that_is_only_in_its_environment(built, folder):
    (folder / "one.txt").write_text("v1,x=1x2x2x2,out=2,k=1,g=2\n")
    options = ("--batch", "one.txt", "--workers", "1", "--diagnosis-calls", "40", "--database", "none")
    built("run", "-b", f"fake.py:{NAME}@fakeengine@2.0", *options, "--name", "one")
    code, out, err = built("issue", "reports/one")
    assert (code, err) == (0, "")
    assert "(fakeengine 2.0)" in out
    assert "@fakeengine@2.0" in out
    script = re.search("```python\n(.*?)```", out, re.DOTALL)[1]
    assert ("import fakeengine  # 2.0" in script, "convcheck" in script) == (True, False)
    # NumPy is that of this environment, as for a worker: where one has run, there is a folder that leads to it
    numpy = folder / "envs" / "fakeengine@2.0" / "convcheck-path"
    ended = {version: _run(folder / "envs" / f"fakeengine@{version}", script, numpy) for version in ("1.0", "2.0")}
    assert ended["1.0"].returncode == 0, ended["1.0"].stderr
    assert (ended["2.0"].returncode, "AssertionError" in ended["2.0"].stderr) == (1, True)


def _run(environment, script, path):
    """What comes of a script there."""
    asked = [environment / "bin" / "python", "-c", script]
    return subprocess.run(
        asked, check=False, capture_output=True, text=True, env=os.environ | {"PYTHONPATH": str(path)}
    )


def test_environments_are_listed_and_removed(built, folder):
    (folder / "envs" / "half").mkdir()
    _, out, _ = built("env", "list")
    assert "fakeengine@1.0" in out
    (half,) = [line for line in out.splitlines() if line.startswith("half")]
    assert half.endswith("not complete")
    assert built("env", "remove", "half")[1] == "removed half\n"
    assert not (folder / "envs" / "half").exists()


def test_what_cannot_be_built_leaves_nothing_behind(convcheck, folder):
    (folder / "broken-1.0-py3-none-any.whl").write_text("no wheel")
    code, _, err = convcheck("env", "add", "broken-1.0-py3-none-any.whl")
    assert (code, "broken-1.0" in err) == (2, True)
    assert not (folder / "envs" / "broken@1.0").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("env", "add"), "env add needs a requirement"),
        (("env", "add", "fakeengine>1"), "names no version; expected package==version, or a --name"),
        (("env", "add", "fakeengine==1.0", "--name", "a/b"), "has a '/' in it"),
        (("env", "add", "fakeengine-1.0-py3-none-any.whl"), "remove it first: convcheck env remove fakeengine@1.0"),
        (("env", "list", "more"), "leave out more"),
        (("env", "remove"), "env remove needs a name"),
        (("env", "remove", "x"), "no environment is called 'x'"),
        (("env", "build"), "'add', 'list', 'remove'"),
        (("replay", "v1,x=1x1x4x4,out=1,k=1", "-b", "numpy@9.9"), "no environment is called 'numpy@9.9' or '9.9'"),
        (
            ("replay", "v1,x=1x1x4x4,out=1,k=1", "-b", "numpy@fakeengine@1.0", "--in-process"),
            "leave out --in-process",
        ),
    ],
)
def test_what_is_wrong_is_named(built, arguments, said):
    code, _, err = built(*arguments)
    assert (code, said in err) == (2, True), err


def test_an_environment_that_lost_its_interpreter_is_not_complete(built, folder):
    interpreter = folder / "envs" / "fakeengine@2.0" / "bin" / "python"
    kept = interpreter.readlink()
    interpreter.unlink()
    try:
        code, _, err = built("replay", "v1,x=1x1x4x4,out=1,k=1", "-b", "numpy@fakeengine@2.0")
    finally:
        interpreter.symlink_to(kept)
    assert (code, "is not complete; remove it with" in err) == (2, True), err
