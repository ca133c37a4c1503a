"""What a user of Hypothesis knows works: in the suite's exploration, and in tests of one's own over our cases."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings

from convcheck import Capabilities
from convcheck.strategies import cases, plain_cases

TESTS = Path(__file__).parents[2]
ISOLATED = ("-c", "/dev/null", "--rootdir", ".", "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:xdist", "-q")

WRONG = f"""
import sys
sys.path.insert(0, {str(TESTS / "plugins")!r})
from my_kernel import my_conv

def conv(x, weight, bias=None, stride=1, padding=0, dilation=1, groups=1):
    padding = padding if isinstance(padding, (str, int)) else tuple(padding)[::-1]
    return my_conv(x, weight, bias, stride, padding, dilation, groups)
"""

MINE = """
from hypothesis import Phase, example, given, note, reproduce_failure, settings
from convcheck import Capabilities
from convcheck.strategies import cases, from_token

{decorator}
@settings(database=None, deadline=None, print_blob=True{phases})
@given(case=cases(Capabilities()))
def test_mine(case):
    print("met", case.token)
    note(str(case.arguments))
    assert case.violation is not None or case.params.stride[0] < 3
"""


def pytest_in(folder, *options):
    # in CI, Hypothesis chooses a profile that takes no seed: that of a user's desk wherever these tests run, unless told
    profile = [] if any("profile" in option for option in options) else ["--hypothesis-profile=default"]
    command = [sys.executable, "-m", "pytest", *ISOLATED, *profile, *options]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stdout + done.stderr
    return done.stdout


def mine(folder, decorator, *options, phases=""):
    (folder / "test_mine.py").write_text(MINE.format(decorator=decorator, phases=phases))
    return pytest_in(folder, "test_mine.py", *options)


def explored(folder, *options):
    (folder / "wrong.py").write_text(WRONG)
    selected = ("--pyargs", "convcheck.suite.test_exploration", "--conv-backend", "wrong.py:conv", "--conv-explore")
    return pytest_in(folder, *selected, *options)


def met(output):
    return re.findall(r"^met (\S+)", output, re.MULTILINE)


def test_the_blob_of_a_failure_repeats_its_case_at_once(tmp_path):
    found = mine(tmp_path, "", "--hypothesis-seed=1")
    (blob,) = set(re.findall(r"@reproduce_failure\(.*?\)", found))  # shown twice where nothing is cut short
    again = mine(tmp_path, blob)
    assert "1 failed" in again
    assert set(met(again)) == {met(found)[-1]}
    assert "stride=(3" in again or "stride=3" in again  # the note: its layer as a call


def test_a_token_is_an_example(tmp_path):
    token = "v1,x=1x2x9x9,out=4,k=3x3,s=7x1"
    found = mine(tmp_path, f'@example(case=from_token("{token}"))')
    assert set(met(found)) == {token}
    assert "Conv2d(2, 4, kernel_size=(3, 3), stride=(7, 1)" in found


def test_the_seed_of_hypothesis_is_that_of_the_exploration(tmp_path):
    def tokens(seed):
        return met(mine(tmp_path, "", f"--hypothesis-seed={seed}", phases=", phases=[Phase.generate]"))

    first = tokens(1)
    assert len(first) > 10
    assert tokens(1) == first != tokens(2)


def test_statistics_have_our_events_and_a_failure_its_layer_replay_blob_and_explanation(tmp_path):
    found = explored(tmp_path, "--hypothesis-show-statistics", "--hypothesis-seed=3")
    assert "% dtype: float32" in found.replace(",", "")
    assert "% legal" in found.replace(",", "")
    assert "judged by parity" in found
    assert "reach, in octaves" in found
    assert "Conv2d(1, 1, " in found
    assert "convcheck replay v1," in found
    assert "DiscrepancyError" in found or "FailError" in found
    assert "@reproduce_failure(" in found
    assert "always and only run by failing" in found


def test_a_profile_decides_how_many_examples_are_explored(tmp_path):
    (tmp_path / "profile_plugin.py").write_text(
        "from hypothesis import settings\nsettings.register_profile('few', max_examples=7)\nsettings.load_profile('few')\n"
    )
    command = ("--conv-explore", "--hypothesis-show-statistics", "-p", "profile_plugin")
    backend = ("--conv-backend", "numpy", "--pyargs", "convcheck.suite.test_exploration")
    assert "7 passing" in pytest_in(tmp_path, *backend, *command)


def test_statistics_are_of_tests_of_hypothesis_and_not_of_a_run_within_a_plain_one(tmp_path):
    options = (
        "--conv-backend",
        "numpy",
        "--conv-dtype",
        "float32",
        "--conv-examples",
        "1",
        "--conv-reach",
        "quick",
        "-k",
        "C2D-SHAPE-1",
    )
    found = pytest_in(
        tmp_path, "--pyargs", "convcheck.suite.test_conformance", "--hypothesis-show-statistics", *options
    )
    assert "test cases" not in found.partition("Hypothesis Statistics")[2]


LEAST = {
    "padding_modes": ("zeros",),
    "layouts": ("contiguous",),
    "groups": False,
    "dilation": False,
    "string_padding": False,
    "unbatched": False,
    "empty_batch": False,
    "nonfinite": False,
}


@pytest.mark.parametrize("strategy", [cases, plain_cases], ids=lambda strategy: strategy.__name__)
@pytest.mark.parametrize(
    "declared",
    [
        {},
        LEAST,
        {**LEAST, "dtypes": ("bfloat16",)},
        {"dtypes": ("complex64",)},
        {"module": True},
        {"padding_modes": ("zeros",), "groups": False},
    ],
)
def test_restrictive_candidates_pass_all_health_checks(strategy, declared):
    @settings(settings.get_profile("default"), deadline=None, database=None)  # that of CI leaves one out
    @given(strategy(Capabilities(**declared)))
    def test(case):
        pass

    test()


def test_no_test_and_no_module_suppresses_health_checks_wholesale():
    wholesale = "list(" + "HealthCheck)"
    sources = [*TESTS.rglob("*.py"), *(TESTS.parent / "harness").rglob("*.py")]
    assert not [source.name for source in sources if wholesale in source.read_text()]
