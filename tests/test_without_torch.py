"""Nothing needs torch but its own backends and plugins on its tensors: what is said and done where it is absent."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import without_torch
from convcheck.report import read_record

PLUGINS = Path(__file__).with_name("plugins")
NEEDS = "needs torch, which is not installed: pip install torch"
NOT_ALONE = (".suite", ".__main__", ".cluster")
"""Parts of names of modules that are for pytest, run when they are imported, or belong to an extra."""
KERNELS = """
from convcheck import capabilities
from convcheck_reference import Conv2dParams, conv2d

FIELDS = dict(padding_modes=("zeros", "reflect", "replicate", "circular"))

@capabilities(**FIELDS)
def right(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1, padding_mode="zeros"):
    out, per_group, *size = weight.shape
    params = Conv2dParams(per_group * groups, out, tuple(size), stride, padding, dilation, groups, bias is not None,
                          padding_mode)
    return conv2d(x, weight, bias, params).astype(x.dtype)

@capabilities(**FIELDS)
def wrong(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1, padding_mode="zeros"):
    return right(x, weight[..., ::-1], bias, stride, padding, dilation, groups, padding_mode)
"""


@pytest.fixture
def python(tmp_path):
    """Runs Python there; what it printed, its status last."""
    environment = without_torch.environment(tmp_path)

    def run(*arguments):
        command = [sys.executable, *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment, cwd=tmp_path)
        assert "Traceback" not in done.stdout + done.stderr
        return [*(done.stdout + done.stderr).splitlines(), done.returncode]

    return run


def test_every_module_but_the_adapters_of_torch_is_imported(python):
    code = (
        "import importlib, pkgutil, convcheck, convcheck_reference, convcheck_backends.numpy_reference\n"
        "for package in (convcheck, convcheck_reference):\n"
        "    for found in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        f"        if not any(part in found.name for part in {NOT_ALONE}):\n"
        "            importlib.import_module(found.name)"
    )
    assert python("-c", code) == [0]


def test_kernels_on_numpy_are_judged(python, tmp_path):
    (tmp_path / "kernels.py").write_text(KERNELS)
    backends = ("kernels.py:right", "kernels.py:wrong", "torch-cpu", PLUGINS / "my_torch_kernel.py:my_conv")
    options = ("--examples=6", "--workers=1", "--reach=quick", "--diagnosis-calls=0", "--clause=C2D-ARITH-1")
    command = ("-m", "convcheck", "run", *(f"--backend={spec}" for spec in backends), *options, "--name=n")
    *_, status = python(*command)
    record = read_record(tmp_path / "reports" / "n")
    assert status == 1
    assert {finding.backend for finding in record.findings} == {"kernels.py:wrong"}
    assert [backend.unavailable for backend in record.backends] == ["", "", NEEDS, NEEDS]
    assert all(backend.cases for backend in record.backends[:2])


def test_a_list_has_a_line_for_each_backend(python):
    *lines, status = python("-m", "convcheck", "list", "--load")
    assert status == 0
    reasons = {line.split()[0]: line.partition("  unavailable  ")[2] for line in lines if line.strip()}
    assert reasons["torch-cpu"] == reasons["torch-compile"] == NEEDS
    assert "numpy" in reasons
    assert not reasons["numpy"]


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--only=kernel-flipped"], f"a comparison of defects with other methods {NEEDS}"),
        (["--only=torch-native"], f"the variant torch-native {NEEDS}"),
    ],
)
def test_what_certification_needs_it_for_is_said_before_it_begins(python, options, said):
    *lines, status = python("-m", "convcheck", "certify", *options)
    assert status == 2
    assert said in lines[-1]


def test_an_untrusted_run_says_that_it_needs_it(python):
    *lines, status = python("-m", "convcheck", "run", "--backend=numpy", "--untrusted")
    assert status == 2
    assert "--untrusted needs torch, which is not installed" in lines[-1]


def test_what_is_to_be_installed_is_all_but_torch():
    project = Path(__file__).parents[1]
    declared = tomllib.loads((project / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    listed = (project / "requirements-no-torch.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in listed if not line.startswith("#")] == [d for d in declared if not d.startswith("torch")]
