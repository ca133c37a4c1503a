import pytest

from convcheck import Backend, UnavailableError
from convcheck.plugin.backend_answers import accelerator_of, versions_of
from convcheck.plugin.registry_errors import BackendSignatureError


class _Answers(Backend):
    name = "answers"

    def __init__(self, answer):
        self._answer = answer

    def versions(self):
        if isinstance(self._answer, Exception):
            raise self._answer
        return self._answer

    accelerator = versions


def test_what_a_backend_says_of_itself_is_taken():
    assert versions_of(_Answers({"engine": "1.2"})) == {"engine": "1.2"}
    assert accelerator_of(_Answers(None)) is None


@pytest.mark.parametrize("answer", [7, None, {"engine": 1}, {1: "2"}, ["1.2"], RuntimeError("no engine")])
def test_versions_that_are_no_texts_are_refused(answer):
    with pytest.raises(BackendSignatureError, match=r"versions\(\) of answers (is .*; expected|raised RuntimeError)"):
        versions_of(_Answers(answer))


@pytest.mark.parametrize("answer", [7, "cuda", RuntimeError("no engine")])
def test_a_device_that_is_none_is_refused(answer):
    with pytest.raises(
        BackendSignatureError, match=r"accelerator\(\) of answers (is .*; expected|raised RuntimeError)"
    ):
        accelerator_of(_Answers(answer))


def test_a_device_that_is_absent_is_believed():
    with pytest.raises(UnavailableError, match="no card"):
        accelerator_of(_Answers(UnavailableError("no card")))
