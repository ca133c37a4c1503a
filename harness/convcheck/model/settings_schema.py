"""The schema of ``[tool.convcheck]``. It imports pydantic: whoever has no such table does not need it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from convcheck.model.ladder import Ladder
from convcheck.model.levels import Level
from convcheck_reference.formats import DTYPES
from convcheck_reference.params import MAX_INDEX

_YEAR: Final = 366 * 86_400.0

Text = Annotated[str, Field(min_length=1)]


def _one_of(names: tuple[str, ...]) -> Callable[[str], str]:
    def checked(text: str) -> str:
        if text not in names:
            raise ValueError(f"expected one of {', '.join(names)}")
        return text

    return checked


Dtype = Annotated[str, AfterValidator(_one_of(tuple(DTYPES))), Field(json_schema_extra={"enum": list(DTYPES)})]


class SettingsSchema(BaseModel):
    """Defaults of convcheck's commands and of its pytest options; what is typed beats them."""

    model_config = ConfigDict(
        extra="forbid",
        strict=True,
        frozen=True,
        title="[tool.convcheck]",
        alias_generator=lambda name: name.replace("_", "-"),
    )

    backends: list[Text] | None = Field(
        None, min_length=1, description="judged where none is named on the command line"
    )
    dtypes: list[Dtype] | None = Field(None, min_length=1, description="only these")
    examples: int | None = Field(None, ge=1, le=10**12, description="cases for each backend")
    seed: int | None = Field(None, ge=0, le=MAX_INDEX, description="of the generator")
    level: Level | None = Field(None, description="the last level whose findings count")
    reach: Ladder | None = Field(None, description="how far some of the cases reach")
    known_failures: Text | None = Field(None, description="a TOML file, or a folder of <backend>.toml")
    report_dir: Text | None = Field(None, description="where the reports' folders go")
    database: Text | None = Field(None, description="of what failed before: a folder, module:attribute or none")
    workers: int | None = Field(None, ge=1, le=10_000, description="judging processes")
    limit: float | None = Field(
        None, ge=0.1, le=_YEAR, allow_inf_nan=False, description="seconds after which a call counts as hung"
    )
    memory: Text | None = Field(None, description="of a candidate's process: 500M, 8G, 0 for any")
    diagnosis_time: Text | None = Field(None, description="time in which causes are looked for: 90s, 5m")


def json_schema() -> dict[str, Any]:
    """The schema as JSON Schema, for editors and other programs."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **SettingsSchema.model_json_schema()}
