"""A second set of wrong convolutions, drawn from bug reports and written apart from the oracles."""

from unseen_defects import gradients, outputs, states

DEFECTS = (*outputs.DEFECTS, *gradients.DEFECTS, *states.DEFECTS)
