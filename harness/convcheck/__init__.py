"""convcheck."""
