"""The conformance suite as pytest tests: `pytest --pyargs convcheck.suite --conv-backend SPEC -n auto`."""
