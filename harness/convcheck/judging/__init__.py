"""Cases become verdicts: blocks of cases, their order, and the calls and oracles of each."""
