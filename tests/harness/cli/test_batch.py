import pytest

from convcheck.cli.batch import BatchError, read_batch
from convcheck.model.token import read

A, B = "v1,x=1x1x4x4,out=1,k=1", "v1,x=1x2x5x5,out=2,k=3,p=1"


def test_a_file_has_a_case_a_line(tmp_path):
    file = tmp_path / "cases"
    file.write_text(f"# two layers\n\n  {A}  # the first\n{B}\n")
    assert read_batch(file) == (read(A), read(B))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{A}\n\nnonsense\n", r"cases, line 3: a case starts with its version"),
        (f"{A}\n{A},k=2\n", r"cases, line 2: 'k' stands twice"),
        ("# nothing\n", "there is no case in it"),
    ],
)
def test_a_line_that_is_no_case_is_named(tmp_path, text, said):
    file = tmp_path / "cases"
    file.write_text(text)
    with pytest.raises(BatchError, match=said):
        read_batch(file)


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(BatchError, match=r"gone: .* expected a text file"):
        read_batch(tmp_path / "gone")
