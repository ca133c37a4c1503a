import io
import os
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

import convcheck
from convcheck import CheckError, CheckResult, ConvcheckError, FindingsError, Level, RegistryError, check, load
from convcheck.campaign.known_failures_file import KnownFailuresError
from convcheck.plugin.live import lent_as
from convcheck.report import read_record
from plugins.my_kernel import my_conv
from plugins.wrong_kernels import accepts_anything


def no_bias():
    def without(x, weight, bias, stride=1, padding=0, dilation=1, groups=1):
        return my_conv(x, weight, None, stride, padding, dilation, groups)

    return without


@pytest.fixture(scope="module")
def wrong():
    return check(no_bias(), 12, dtypes=["float32"], reach="quick")


@pytest.fixture(scope="module")
def right():
    return check(my_conv, examples=12, seed=3, reach="quick")


def test_a_right_function_conforms(right):
    assert isinstance(right, CheckResult)
    assert right.conforms
    assert not right.findings
    assert right.record.seed == 3
    assert right.levels[Level.COMPUTES].passed
    right.raise_for_findings()


def test_a_wrong_one_does_not_and_its_error_says_what_when_and_how_to_repeat_it(wrong):
    assert not wrong.conforms
    assert wrong.levels[Level.COMPUTES].fails
    with pytest.raises(FindingsError, match=r"\A<without>: DOES NOT CONFORM: 1 finding\.\n1\. computes: ") as caught:
        wrong.raise_for_findings()
    said = str(caught.value)
    assert "`output` is wrong iff bias: differs from the exact integer result; at (0, 0, 0, 0): expected " in said
    assert f". Try: convcheck.replay(without, '{wrong.findings[0].reproduction.token}')" in said
    assert isinstance(caught.value, ConvcheckError)
    assert isinstance(caught.value, AssertionError)


def test_the_replay_line_repeats_it(wrong):
    without = no_bias()
    line = str(wrong.findings[0].reproduction.token)
    assert not convcheck.replay(without, line).conforms
    assert convcheck.replay(my_conv, line).conforms


def test_its_text_is_the_summary_and_its_page_stands_in_a_frame(wrong):
    assert repr(wrong) == str(wrong)
    assert str(wrong).startswith("<without> computes legal layers wrong in ")
    assert "<without>  computes   fail " in str(wrong)
    frame = ET.fromstring(wrong._repr_html_().replace(" sandbox ", ' sandbox="" '))
    assert frame.tag == "iframe"
    assert "&lt;without&gt; computes legal layers wrong in" in frame.get("srcdoc")
    assert "convcheck.replay(without, " in frame.get("srcdoc")


def test_rich_shows_levels_and_findings_within_the_width(wrong):
    console = Console(file=io.StringIO(), width=60)
    console.print(wrong)
    shown = console.file.getvalue()
    assert max(map(len, shown.splitlines())) <= 60
    assert "  computes    fail  " in shown
    assert "DOES NOT CONFORM: 1 finding." in shown


def test_nothing_stays_behind(right, wrong):
    assert lent_as("<without>") is None
    with pytest.raises(RegistryError):
        load("<without>")


def test_findings_beyond_the_level_do_not_count():
    found = check(accepts_anything, 30, level="precision", reach="quick", diagnosis_seconds=1)
    assert found.levels[Level.REFUSES].fails
    assert found.conforms
    found.raise_for_findings()


def test_reports_are_written_where_they_are_asked_for(tmp_path):
    folder = tmp_path / "report"
    found = check(my_conv, 3, reach="quick", report_dir=folder)
    assert read_record(folder) == found.record
    assert found.report == folder
    assert (folder / "index.html").is_file()


def test_elsewhere_nothing_is_written_but_the_cache_of_hypothesis(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check(my_conv, 3, reach="quick")
    assert not {path.name for path in tmp_path.iterdir()} - {".hypothesis"}
    assert not (tmp_path / ".hypothesis" / "examples").exists()


def test_a_crash_in_a_process_of_its_own_is_a_finding(tmp_path, monkeypatch):
    file = tmp_path / "dies.py"
    file.write_text("import os\ndef conv(x, weight, bias, stride, padding, dilation, groups):\n    os._exit(7)\n")
    monkeypatch.syspath_prepend(tmp_path)
    import dies

    found = check(dies.conv, 2, reach="quick", isolated=True, diagnosis_seconds=1)
    assert "a call ends its process" in str(found)
    assert not found.conforms


def test_what_no_process_finds_is_not_isolated():
    with pytest.raises(CheckError, match=r"<without> cannot be judged in a process of its own, .* leave out isolated"):
        check(no_bias(), isolated=True)


def test_a_file_that_checks_itself_while_it_is_imported_is_told(tmp_path):
    file = tmp_path / "itself.py"
    file.write_text(
        "import convcheck\n\ndef conv(x, weight, bias, stride, padding, dilation, groups):\n    return x\n\n"
        "convcheck.check(conv, 2, isolated=True)\n"
    )
    done = subprocess.run([sys.executable, str(file)], capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 1
    assert "put the check under `if __name__ == '__main__':`" in done.stderr


def test_a_backend_class_and_its_instance(tmp_path):
    class Mine(convcheck.Backend):
        name = "mine"
        capabilities = convcheck.Capabilities(padding_modes=("zeros",))

        def conv2d(self, x, weight, bias, params):
            given = params.arguments
            return my_conv(x, weight, bias, given.stride, given.padding, given.dilation, given.groups)

    for backend in (Mine, Mine()):
        found = check(backend, 4, reach="quick")
        assert found.conforms
        assert found.record.backends[0].name == "<Mine>"


def test_an_absent_device_is_no_pass():
    class Absent(convcheck.Backend):
        name = "absent"
        capabilities = convcheck.Capabilities()

        def __init__(self):
            raise convcheck.UnavailableError("no such device")

    with pytest.raises(FindingsError, match=r"NOTHING WAS JUDGED.*\n<Absent> was not judged: no such device"):
        check(Absent, 2).raise_for_findings()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"examples": 0}, "examples=0; expected a whole number from 1"),
        ({"examples": 2.5}, "examples=2.5"),
        ({"seed": -1}, "seed=-1; expected a whole number from 0"),
        ({"dtypes": ["float8"]}, "'float8' is no dtype; expected some of float16"),
        ({"level": "speed"}, "level='speed'; expected one of computes, ieee"),
        ({"reach": "far"}, "reach='far'; expected one of "),
    ],
)
def test_arguments_that_are_none_are_refused(arguments, message):
    with pytest.raises(CheckError, match=message):
        check(my_conv, **arguments)


def test_what_is_no_backend_is_refused(tmp_path):
    with pytest.raises(RegistryError, match="<int> is a int; expected a function"):
        check(7)
    with pytest.raises(RegistryError, match="no backend is named 'nump'"):
        check("nump")
    with pytest.raises(KnownFailuresError, match=r"none\.toml"):
        check(my_conv, known_failures=tmp_path / "none.toml")
