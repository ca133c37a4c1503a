"""`benchmarks/first_minutes.py`: its kernels are wrong in one respect, and it reads what a run says."""

from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import pytest

from convcheck.report.sentence import finding_sentence
from full_record import COMPLETE

PROJECT = Path(__file__).parents[2]


def benchmark():
    spec = spec_from_file_location("first_minutes", PROJECT / "benchmarks" / "first_minutes.py")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


FIRST = benchmark()


@pytest.mark.parametrize("kernel", FIRST.KERNELS, ids=lambda kernel: kernel.file)
def test_each_is_a_right_kernel_with_one_text_replaced(kernel, tmp_path, monkeypatch):
    monkeypatch.setattr(FIRST.subprocess, "run", lambda *_, **__: None)  # nothing is compiled
    FIRST.written(kernel, tmp_path)
    right = {file.name: file.read_text() for file in FIRST.PLUGINS.glob("my_*.*") if file.suffix in (".py", ".c")}
    assert [file.name for file in tmp_path.glob("my_*.*") if file.read_text() != right[file.name]] == [kernel.file]


def test_failures_causes_and_sentences_are_told_apart_from_the_rest():
    said = (
        "[0:05] loading the backends",
        "[0:11] seen: a.py:f: wrong",
        "[1:00:26] cause: a.py:f: wrong iff groups > 1",
    )
    assert [bool(FIRST.FAILURE.match(line)) for line in said] == [False, True, True]
    assert [bool(FIRST.CAUSE.match(line)) for line in said] == [False, False, True]
    sentence = finding_sentence(COMPLETE)
    found = FIRST.SENTENCE.findall(f"a table\n1. computes, C2D-PAD-1: {sentence}\nDOES NOT CONFORM: 1 finding.\n")
    assert found == [f"computes, C2D-PAD-1: {sentence.partition(' Try: ')[0]}"]
