"""`convcheck report --format`: each form, on standard output and in a file."""

import csv
import io
import json
import sys
from xml.etree import ElementTree as ET

import pytest

from convcheck import cli
from convcheck.cli.report import Form
from convcheck.report import write_report
from full_record import RECORD

READ = {
    Form.TEXT: lambda text: text.startswith("convcheck: "),
    Form.MARKDOWN: lambda text: text.startswith("# convcheck: "),
    Form.HTML: lambda text: "<!doctype html>" in text.lower()[:200],
    Form.JUNIT: lambda text: ET.fromstring(text).tag == "testsuites",
    Form.JSON: lambda text: (json.loads(text)["kind"], json.loads(text)["schema"]) == ("run", 1),
    Form.CSV: lambda text: len(list(csv.DictReader(io.StringIO(text)))) == len(RECORD.findings),
    Form.SARIF: lambda text: json.loads(text)["version"] == "2.1.0",
}


@pytest.fixture
def convcheck(monkeypatch, capsys):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["convcheck", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            cli.main()
        return exit_.value.code, *capsys.readouterr()

    return run


@pytest.fixture
def folder(tmp_path):
    write_report(RECORD, tmp_path / "run")
    return tmp_path / "run"


@pytest.mark.parametrize("form", Form)
def test_a_form_stands_alone_on_standard_output_and_in_a_file(convcheck, folder, tmp_path, form):
    code, out, err = convcheck("report", folder, "--format", form.upper())
    assert (code or 0, err) == (0, "")
    assert READ[form](out)
    code, said, _ = convcheck("report", folder, "--format", form, "--to", tmp_path / "one")
    assert (code or 0, said) == (0, "")
    # line ends of CSV are two characters in a file, as the standard has them, and one on a terminal
    assert (tmp_path / "one").read_bytes().decode().replace("\r\n", "\n").rstrip("\n") == out.rstrip("\n")


def test_the_level_of_the_question_decides_what_counts(convcheck, folder):
    counting = [
        sum(finding["counts"] for finding in json.loads(out)["findings"])
        for level in ("computes", "state")
        for _, out, _ in [convcheck("report", folder, "--format", "json", "--level", level)]
    ]
    assert 0 < counting[0] < counting[1]


def test_a_form_that_there_is_not_and_a_file_that_cannot_be_are_named(convcheck, folder, tmp_path):
    code, _, err = convcheck("report", folder, "--format", "pdf")
    assert code == 2
    assert "'sarif'" in err
    code, _, err = convcheck("report", folder, "--format", "csv", "--to", tmp_path / "no" / "where.csv")
    assert code == 3
    assert "where.csv' cannot be written" in err
