"""From failing verdicts to findings: one for each distinct cause, with its smallest case."""
