"""Second and third sets of wrong convolutions, drawn from bug reports and written apart from the oracles."""

from convcheck.defects.model import Defect
from unseen_defects import gradients, later, later_calls, outputs, states

DEFECTS: tuple[Defect, ...] = (*outputs.DEFECTS, *gradients.DEFECTS, *states.DEFECTS)
LATER: tuple[Defect, ...] = (*later.DEFECTS, *later_calls.DEFECTS)
