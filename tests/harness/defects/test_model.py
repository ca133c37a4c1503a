import pickle

import numpy as np
import pytest

from convcheck.defects import DEFECTS, Category
from convcheck.defects.deviations import EVERYWHERE, gives
from convcheck.defects.model import deviating
from convcheck.model.rules import facts
from convcheck.model.token import read
from convcheck.plugin.reference_backend import ReferenceBackend
from convcheck_reference import Conv2dParams
from convcheck_reference.errors import InputError, StrideError

ONE_MORE = gives(lambda result, _: result + 1, on=EVERYWHERE)


def one_more(guard, data=""):
    """A defect that adds one to every result where `guard` holds."""
    return deviating(Category.BIAS, "one-more", "one more", guard, ONE_MORE, data)


def operands(params, dtype=np.float32, batch=(2,)):
    rng = np.random.default_rng(0)
    x = rng.integers(-9, 10, (*batch, params.in_channels, 5, 4))
    weight, bias = rng.integers(-9, 10, params.weight_shape), rng.integers(-9, 10, params.out_channels)
    grad = rng.integers(-9, 10, params.output_shape(x.shape))
    return [array.astype(dtype) for array in (grad, x, weight, bias)]


def results(backend, params, arrays):
    grad, x, weight, bias = arrays
    return [backend.conv2d(x, weight, bias, params), *backend.conv2d_backward(grad, x, weight, bias, params)]


@pytest.mark.parametrize(
    ("guard", "data", "region"),
    [
        ("groups > 1 or bias", "", "(groups > 1 or bias)"),
        ("", "values == 'wide'", "(values == 'wide')"),
        ("groups > 1 or bias", "values == 'wide'", "(groups > 1 or bias) and (values == 'wide')"),
        ("", "", ""),
    ],
)
def test_a_region_is_the_guard_and_what_the_data_have_to_be(guard, data, region):
    assert one_more(guard, data).region.text == region


def test_the_region_of_alternatives_needs_both_parts():
    region = one_more("groups > 1 or bias", "values == 'wide'").region
    assert region.holds(facts(read("v1,x=1x2x3x3,out=2,k=1,values=wide")))
    assert not region.holds(facts(read("v1,x=1x2x3x3,out=2,k=1")))


@pytest.mark.parametrize("batch", [(2,), ()])
@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_output_and_gradients_deviate_where_the_guard_holds_and_nowhere_else(dtype, batch):
    backend = one_more("stride_h > 1").backend()
    for stride, by in ((1, 0), (2, 1)):
        params = Conv2dParams(2, 4, (2, 3), stride, 1, groups=2)
        arrays = operands(params, dtype, batch)
        for got, right in zip(
            results(backend, params, arrays), results(ReferenceBackend(), params, arrays), strict=True
        ):
            assert got.dtype == dtype
            assert np.array_equal(got, right + dtype(by))


def test_the_data_of_a_region_do_not_decide_when_a_kernel_deviates():
    params = Conv2dParams(2, 4, 2)
    backend = one_more("", "values == 'special'").backend()
    arrays = operands(params)
    assert np.array_equal(results(backend, params, arrays)[0], results(ReferenceBackend(), params, arrays)[0] + 1)


def test_a_layer_without_bias_has_no_bias_gradient():
    grad, x, weight, _ = operands(Conv2dParams(2, 4, 2))
    assert one_more("").backend().conv2d_backward(grad, x, weight, None, Conv2dParams(2, 4, 2, bias=False)).bias is None


def test_what_is_illegal_is_refused_as_by_the_reference():
    _, x, weight, bias = operands(Conv2dParams(2, 4, 2))
    backend = one_more("").backend()
    with pytest.raises(InputError):
        backend.conv2d(x, weight[:, :1], bias, Conv2dParams(2, 4, 2))
    with pytest.raises(StrideError):
        backend.conv2d(x, weight, bias, Conv2dParams.unchecked(Conv2dParams(2, 4, 2).arguments.__class__(2, 4, 2, 0)))


def test_a_backend_has_the_name_of_its_defect_and_is_a_new_one():
    item = one_more("")
    one, other = item.backend(), item.backend()
    assert one.name == "one-more"
    assert one is not other
    assert ReferenceBackend.name == "reference"


@pytest.mark.parametrize("item", DEFECTS, ids=lambda item: item.name)
def test_a_defect_crosses_to_another_process_as_itself(item):
    assert pickle.loads(pickle.dumps(item)) is item
