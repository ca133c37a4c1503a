import os
from pathlib import Path

import pytest
from hypothesis import given, settings

from convcheck.report.folder import ReportFolderError, check_writable, folder_of
from mangled import mangled


@pytest.mark.parametrize("name", ["nightly-3", "20260203-040506-seed0", "run of Tuesday", "über", ".hidden", "a" * 255])
def test_a_name_is_that_of_a_folder_within(name):
    assert folder_of(Path("reports"), name) == Path("reports") / name


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("../../x", "has a '/' in it"),
        ("/etc/x", "has a '/'"),
        ("a\\b", "has a "),
        ("C:x", "has a ':'"),
        ("..", "is none"),
        (".", "is none"),
        ("", "is none"),
        (" ", "is none"),
        ("a ", "begins with a space, or ends"),
        ("a.", "ends with one or with a dot"),
        ("a\0b", "cannot be shown"),
        ("a\nb", "cannot be shown"),
        ("\x1b[31m", "cannot be shown"),
        ("\u202egnp", "cannot be shown"),
        ("\udcff", "cannot be shown"),
        ("a" * 256, "takes 256 bytes, and at most 255 are possible"),
        ("é" * 200, "takes 400 bytes"),
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(name, why):
    with pytest.raises(ReportFolderError, match=why):
        folder_of(Path("reports"), name)


@settings(max_examples=200, deadline=None)
@given(mangled("nightly-3", "a/../b", "..", "C:\\x"))
def test_any_name_stays_inside_or_is_refused(name):
    within = Path("/reports/all")
    try:
        folder = folder_of(within, name)
    except ReportFolderError:
        return
    assert os.path.normpath(folder) == str(folder)
    assert folder.parent == within
    assert len(os.fsencode(folder.name)) <= 255


def test_a_folder_is_made_and_left_empty(tmp_path):
    check_writable(tmp_path / "reports" / "new")
    assert list((tmp_path / "reports" / "new").iterdir()) == []


@pytest.mark.parametrize("bad", ["a file", "below a file", "a\0b", "x" * 300])
def test_a_folder_that_cannot_be_written_to_is_refused_with_why(tmp_path, bad):
    (tmp_path / "file").write_text("")
    folder = {"a file": "file", "below a file": "file/x"}.get(bad, bad)
    with pytest.raises(ReportFolderError, match=r"no report can be written to .*; name another folder"):
        check_writable(tmp_path / folder)
