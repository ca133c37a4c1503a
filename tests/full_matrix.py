"""The matrix of `full_record.RECORD`, in which one clause is told apart by dtype and pass, and of another release."""

from dataclasses import replace

from convcheck.model.matrix import State
from convcheck.model.passes import Pass, PassCount
from convcheck.report.compatibility.matrix_of import matrix_of
from full_record import RECORD, RIGHT, WRONG


def count(clause, dtype, of_pass, right, wrong=0, backend=WRONG):
    return PassCount(backend=backend, clause=clause, dtype=dtype, of_pass=of_pass, right=right, wrong=wrong)


PASSES = (
    count("C2D-SHAPE-1", "float32", Pass.FORWARD, 4, 3),
    count("C2D-SHAPE-1", "float16", Pass.FORWARD, 3),
    count("C2D-SHAPE-1", "float16", Pass.DOUBLE_BACKWARD, 0, 1),
    count("C2D-SHAPE-3", "float32", Pass.FORWARD, 2, 6),
    count("C2D-SHAPE-1", "float32", Pass.FORWARD, 20, backend=RIGHT),
)
JUDGED = replace(RECORD, passes=PASSES)
MATRIX = matrix_of([JUDGED])


def cell(matrix, clause, engine=0):
    (found,) = [each for each in matrix.engines[engine].cells if each.clause == clause]
    return found


def with_cell(matrix, clause, engine=1, **changed):
    """The matrix with one cell that is other."""
    cells = tuple(replace(each, **changed) if each.clause == clause else each for each in matrix.engines[engine].cells)
    engines = list(matrix.engines)
    engines[engine] = replace(engines[engine], cells=cells)
    return replace(matrix, engines=tuple(engines))


BROKEN = with_cell(MATRIX, "C2D-SHAPE-4", state=State.FAIL, wrong=1)
