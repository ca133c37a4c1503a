import sys

import pytest

from convcheck import cli
from convcheck.cli.certify import select
from convcheck.defects import DEFECTS, UnknownDefectError


def convcheck(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["convcheck", *map(str, arguments)])
    with pytest.raises(SystemExit) as exit_:
        cli.main()
    return exit_.value.code


def test_certify_writes_a_certificate(monkeypatch, tmp_path, capsys):
    options = ("--examples", 60, "--variant-examples", 3, "--report-dir", tmp_path)
    assert convcheck(monkeypatch, "certify", "--only", "negatives-cut", "--only", "direct", *options) == 0
    assert "1 of 1 defects detected" in capsys.readouterr().out
    assert (tmp_path / "certificate-seed0" / "certificate.jsonl").is_file()


def test_a_missed_defect_fails(monkeypatch, tmp_path, capsys):
    options = ("--examples", 1, "--report-dir", tmp_path)
    assert convcheck(monkeypatch, "certify", "--only", "depthwise-24-stride-2", *options) == 1


def test_what_only_selects():
    defects, variants = select(("stride", "nan-to-zero", "tf32"))
    assert {d.name for d in defects} >= {"stride-exchanged", "nan-to-zero"}
    assert len(defects) < len(DEFECTS)
    assert [v.name for v in variants] == ["tf32"]
    assert select(("variants",))[0] == ()
    with pytest.raises(UnknownDefectError):
        select(("no-such-defect",))
