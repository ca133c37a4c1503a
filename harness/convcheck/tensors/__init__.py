"""The data of a case: its values and how they lie in memory."""
