from dataclasses import replace

import pytest

from convcheck.model.matrix import State
from convcheck.model.passes import Pass
from convcheck.report.compatibility.difference import CellChange, matrix_difference, matrix_difference_text
from convcheck.report.compatibility.matrix_of import matrix_of
from full_matrix import BROKEN, JUDGED, MATRIX, count, with_cell
from full_record import RIGHT


def changes(before, after):
    return [(c.change, c.clause, c.what) for c in matrix_difference(before, after).changed]


def released(version):
    """The engine that is right, in a release of its own."""
    backend = replace(JUDGED.backends[1], name=f"{RIGHT}@{version}")
    counts = tuple(replace(c, backend=backend.name) for c in JUDGED.counts if c.backend == RIGHT)
    return matrix_of([replace(JUDGED, backends=(backend,), counts=counts, passes=(), findings=(), levels=())])


def test_a_matrix_does_not_differ_from_itself():
    found = matrix_difference(MATRIX, MATRIX)
    assert (found.changed, found.worse) == ((), False)
    assert matrix_difference_text(found, "text") == "0 new cells, 0 changed cells, 0 fixed cells, 0 other cells."


def test_a_cell_that_fails_now_is_new_and_one_that_passes_again_is_fixed():
    assert changes(MATRIX, BROKEN) == [(CellChange.NEW, "C2D-SHAPE-4", "all")]
    assert matrix_difference(MATRIX, BROKEN).worse
    assert changes(BROKEN, MATRIX) == [(CellChange.FIXED, "C2D-SHAPE-4", "all")]
    assert not matrix_difference(BROKEN, MATRIX).worse
    assert "pass: 1" in matrix_difference_text(matrix_difference(BROKEN, MATRIX), "text")


def test_a_cell_that_nobody_judged_any_more_is_not_fixed():
    gone = with_cell(BROKEN, "C2D-SHAPE-4", state=State.NOT_JUDGED, cases=0)
    assert changes(BROKEN, gone) == [(CellChange.OTHER, "C2D-SHAPE-4", "all")]
    assert not matrix_difference(BROKEN, gone).worse


def test_a_cell_that_fails_in_another_way_has_changed():
    first, *others = MATRIX.findings
    other = replace(first, finding=replace(first.finding, verdict=replace(first.finding.verdict, reason="other")))
    other = replace(other, finding=replace(other.finding, diagnosis=type(first.finding.diagnosis)()))
    assert (CellChange.CHANGED, "C2D-SHAPE-1", "all") in changes(MATRIX, replace(MATRIX, findings=(other, *others)))


def test_numbers_of_cases_are_no_change():
    assert changes(MATRIX, with_cell(MATRIX, "C2D-SHAPE-4", cases=77)) == []


@pytest.mark.parametrize(("wrong", "expected"), [(0, []), (1, [(CellChange.OTHER, "C2D-SHAPE-1", "forward float16")])])
def test_a_dtype_that_differs_is_told_where_the_clause_as_a_whole_does_not(wrong, expected):
    passes = tuple(c for c in JUDGED.passes if (c.dtype, c.of_pass) != ("float16", Pass.FORWARD))
    later = replace(JUDGED, passes=(*passes, count("C2D-SHAPE-1", "float16", Pass.FORWARD, 3, wrong)))
    assert changes(MATRIX, matrix_of([later])) == expected


def test_two_releases_of_an_engine_are_compared():
    old, new = released("1.0"), with_cell(released("2.0"), "C2D-SHAPE-4", 0, state=State.FAIL, wrong=1)
    found = matrix_difference(old, new)
    assert [(c.change, c.before, c.after) for c in found.changed] == [(CellChange.NEW, "numpy@1.0", "numpy@2.0")]
    assert "numpy@1.0 → numpy@2.0" in matrix_difference_text(found, "text")


def test_engines_of_one_matrix_alone_are_named():
    less = replace(MATRIX, engines=MATRIX.engines[1:])
    (said,) = matrix_difference(MATRIX, less).engines
    assert said.endswith("was judged before, and is not now")
    (said,) = matrix_difference(less, MATRIX).engines
    assert said.endswith("was not judged before")


def test_an_engine_that_cannot_run_any_more_is_named_and_not_compared():
    gone = replace(MATRIX.engines[1], unavailable="no such device", cells=())
    found = matrix_difference(MATRIX, replace(MATRIX, engines=(MATRIX.engines[0], gone, MATRIX.engines[2])))
    assert found.changed == ()
    assert "numpy: judged before, unavailable: no such device now" in found.engines
