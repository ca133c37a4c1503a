"""The compatibility matrix: put together from records, and rendered."""
