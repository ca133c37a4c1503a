import math
from dataclasses import replace

import pytest

from convcheck.model.token import read
from convcheck.triage.diagnosis.terms import MOST_MULTIPLY_ADDS, case_of, terms_of

TOKENS = (
    "v1,x=2x6x5x11,out=6,k=2x3,s=1x2,p=1x0,d=1x2,g=2",
    "v1,x=4x7x6,out=3,k=3,p=same,mode=circular,dtype=bfloat16",
    "v1,x=1x1x1x1,out=1,k=1,bias=false,nonzeros=1",
    "v1,x=2x3x9x7,out=3,k=2x2,s=3,p=valid,values=wide,layout=sliced,seed=7",
)


@pytest.mark.parametrize("token", TOKENS)
def test_a_case_is_what_its_terms_say(token):
    case = read(token)
    assert case_of(terms_of(case), case) == case


def test_one_term_changes_what_follows_from_it_only():
    case = read(TOKENS[0])
    wider = case_of(terms_of(case)._replace(output_w=9), case)
    assert wider.output_shape[-1] == 9
    assert wider.output_shape[:-1] == case.output_shape[:-1]
    assert wider.arguments == case.arguments


def test_what_is_too_large_to_ask_often_is_no_case():
    case = read(TOKENS[0])
    assert case_of(terms_of(case)._replace(batch=MOST_MULTIPLY_ADDS), case) is None
    # few multiplications, but an image of a terabyte
    apart = terms_of(case)._replace(stride_h=9999, stride_w=9999, output_h=40, output_w=40)
    assert apart.kernel_h * apart.kernel_w * 40 * 40 < MOST_MULTIPLY_ADDS
    assert case_of(apart, case) is None
    # few pixels, but as many around them
    around = replace(case.arguments, dilation=(60_000, 30_000), padding=30_000)
    apart = replace(case, arguments=around)
    assert math.prod(apart.output_shape) * apart.params.fan_in < MOST_MULTIPLY_ADDS
    assert case_of(terms_of(apart), apart) is None
