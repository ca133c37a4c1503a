import inspect
import re

import pytest

from convcheck_reference import errors

CLASSES = {name: kind for name, kind in vars(errors).items() if inspect.isclass(kind)}


@pytest.mark.parametrize("name", CLASSES)
def test_every_error_stands_in_the_tree(name):
    assert f"`{name}`" in errors.__doc__


def test_the_tree_names_nothing_that_does_not_exist():
    assert set(re.findall(r"`(\w+Error)`", errors.__doc__)) <= {*CLASSES, "ValueError", "TypeError", "RuntimeError"}


def test_what_is_raised_can_be_caught_as_what_python_would_raise():
    assert all(issubclass(kind, errors.ConvcheckError) for kind in CLASSES.values())
    refused = [kind for kind in CLASSES.values() if issubclass(kind, errors.ParameterError | errors.InputError)]
    assert all(issubclass(kind, ValueError) for kind in refused)
    assert issubclass(errors.ParameterTypeError, TypeError)


def test_an_input_that_does_not_fit_is_no_illegal_layer():
    for kind in CLASSES.values():
        assert not (issubclass(kind, errors.ParameterError) and issubclass(kind, errors.InputError))
