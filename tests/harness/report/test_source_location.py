import pytest

from convcheck.report.source_location import SourceLocation, source_location


@pytest.fixture
def kernel(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "src").mkdir()
    file = tmp_path / "src" / "kernel.py"
    file.write_text("import math\n\ndef conv(x):\n    pass\n\n@property\nclass Backend:\n    pass\n\nother = conv\n")
    return file


@pytest.mark.parametrize(("name", "line"), [("conv", 3), ("Backend", 7), ("other", 10), ("nowhere", 1)])
def test_a_file_has_the_line_of_the_name(kernel, name, line):
    for spec in (f"src/kernel.py:{name}", f"{kernel}:{name}"):
        assert source_location(spec) == SourceLocation("src/kernel.py", line)


def test_what_lies_elsewhere_has_its_whole_path(kernel, monkeypatch, tmp_path):
    (tmp_path / "in").mkdir()
    monkeypatch.chdir(tmp_path / "in")
    assert source_location("../src/kernel.py:conv").path.startswith("/")


def test_other_ways_to_name_a_backend_have_no_place(kernel):
    assert source_location("torch-cpu") is None
    assert source_location("package.module:Name") is None


def test_a_file_that_cannot_be_read_has_its_first_line(kernel):
    kernel.write_bytes(b"\xff def")
    assert source_location(f"{kernel}:conv").line == 1
    assert source_location("gone.py:conv").line == 1
