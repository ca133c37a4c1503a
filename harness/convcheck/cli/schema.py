"""`convcheck schema`: what ``[tool.convcheck]`` may say, as JSON Schema."""

from __future__ import annotations

import json

from convcheck.cli.output import say


def schema() -> None:
    """Print the JSON Schema of tool.convcheck in a pyproject.toml."""
    from convcheck.model.settings_schema import json_schema  # noqa: PLC0415  (it imports pydantic)

    say(json.dumps(json_schema(), indent=2))
