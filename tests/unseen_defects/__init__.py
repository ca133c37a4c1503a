"""Sets of wrong convolutions beyond the library's, drawn from bug reports and written apart from the oracles."""

from convcheck.defects.model import Defect
from unseen_defects import (
    field,
    field_calls,
    field_later,
    field_later_calls,
    gradients,
    later,
    later_calls,
    outputs,
    states,
)

DEFECTS: tuple[Defect, ...] = (*outputs.DEFECTS, *gradients.DEFECTS, *states.DEFECTS)
LATER: tuple[Defect, ...] = (*later.DEFECTS, *later_calls.DEFECTS)
FIELD: tuple[Defect, ...] = (*field.SIZES, *field_calls.CALLS)
FIELD_LATER: tuple[Defect, ...] = (*field_later.SIZES, *field_later_calls.CALLS)
