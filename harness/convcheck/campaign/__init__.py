"""Whole runs: many cases put to some backends within a budget, and the record of it."""
