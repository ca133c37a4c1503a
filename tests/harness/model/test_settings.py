from pathlib import Path

import pytest

from convcheck.model.settings import SettingsError, settings_above, settings_of
from convcheck.model.settings_schema import SettingsSchema, json_schema

EVERYTHING = """
[project]
name = "mine"

[tool.convcheck]
backends = ["numpy", "src/kernel.py:conv"]
dtypes = ["float32"]
examples = 7
seed = 3
level = "ieee"
reach = "quick"
known-failures = "known.toml"
report-dir = "out"
database = "none"
workers = 2
limit = 5
memory = "1G"
diagnosis-time = "10s"
"""


@pytest.fixture
def pyproject(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def write(text):
        file = tmp_path / "pyproject.toml"
        file.write_text(text)
        return file

    return write


def test_every_key_is_read(pyproject):
    found = settings_of(pyproject(EVERYTHING))
    assert set(found) == {field.alias for field in SettingsSchema.model_fields.values()}
    assert found["backends"] == ["numpy", "src/kernel.py:conv"]
    assert (found["examples"], found["level"], found["known-failures"], found["limit"]) == (
        7,
        "ieee",
        "known.toml",
        5.0,
    )


def test_paths_are_those_of_the_folder_of_the_file(pyproject, tmp_path, monkeypatch):
    pyproject(EVERYTHING)
    (tmp_path / "deep" / "er").mkdir(parents=True)
    monkeypatch.chdir(tmp_path / "deep" / "er")
    found = settings_above(tmp_path / "deep" / "er")
    assert found["report-dir"] == str(Path("../../out"))
    assert found["backends"] == ["numpy", f"{Path('../../src/kernel.py')}:conv"]


def test_a_project_without_the_table_says_nothing(pyproject, tmp_path):
    assert settings_of(pyproject("[project]\nname = 'mine'\n")) == {}
    assert settings_above(tmp_path) == {}


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("exmaples = 7", r"line 4: \[tool.convcheck\] has an unknown key 'exmaples'; did you mean examples\?"),
        ("colour = 1", "line 4: .* has an unknown key 'colour'; expected some of backends, dtypes"),
        ("known_failures = 'x'", "did you mean known-failures"),
        ("examples = 0", "line 4: .*: examples = 0; expected (to be )?greater than or equal to 1"),
        ("examples = '7'", "examples = '7'; expected a valid integer"),
        ("examples = true", "examples = True; expected a valid integer"),
        ("level = 'perfect'", "level = 'perfect'; expected 'computes', 'ieee'"),
        ("dtypes = ['float32', 'float8']", r"dtypes\[1\] = 'float8'; expected one of float16"),
        ("backends = 'numpy'", "backends = 'numpy'; expected a valid array"),
        ("backends = []", "backends"),
        ("limit = inf", "limit"),
        ("seed = 2026-11-28", "seed = '2026-11-28'; expected a valid integer"),
        ("seed = ", "expected TOML with"),
    ],
)
def test_what_nobody_understands_is_named_with_its_place_and_what_was_expected(pyproject, line, said):
    file = pyproject(f"[project]\nname = 'mine'\n[tool.convcheck] # ours\n{line}\n")
    with pytest.raises(SettingsError, match=said) as error:
        settings_of(file)
    assert str(error.value).startswith(str(file))


def test_a_table_that_is_none_is_refused(pyproject):
    with pytest.raises(SettingsError, match="expected a table"):
        settings_of(pyproject("[tool]\nconvcheck = 3\n"))


def test_the_schema_is_that_of_the_table():
    schema = json_schema()
    assert schema["additionalProperties"] is False
    assert set(schema["properties"]) == {field.alias for field in SettingsSchema.model_fields.values()}
    assert all(each["description"] for each in schema["properties"].values())
