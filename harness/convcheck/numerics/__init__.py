"""Rounding: how many terms a sum has, which integers are exact, how large a legal error can be."""
