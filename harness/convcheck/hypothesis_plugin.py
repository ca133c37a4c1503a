"""The plugin of Hypothesis: `@settings(backend="convcheck")` gives anybody's test the same cases in any process.

`import hypothesis` calls it wherever convcheck is installed, so the backend is named here and loaded when a test uses
it. Source: Hypothesis' documentation, "Third-party extensions" and "Alternative backends for Hypothesis".
"""

from typing import Final

PROVIDER: Final = "convcheck.strategies.provider.Provider"


def register() -> None:
    """Make the backend known."""
    from hypothesis.internal.conjecture.providers import AVAILABLE_PROVIDERS  # noqa: PLC0415  (it calls this)

    AVAILABLE_PROVIDERS["convcheck"] = PROVIDER
