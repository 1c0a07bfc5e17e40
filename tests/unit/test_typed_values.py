"""Typed values, held against boto3's, which they stand for."""

from decimal import Decimal, DecimalException

import pytest
from boto3.dynamodb.types import TypeDeserializer, TypeSerializer
from hypothesis import given
from hypothesis import strategies as st

from pipeline.table.typed_values import decode, encode

plain = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**37), 10**37)
    | st.decimals(-(10**9), 10**9, places=3)
    | st.text()
    | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@given(plain)
def test_a_value_is_written_as_boto3_writes_it_and_comes_back(value):
    typed = encode(value)

    assert typed == TypeSerializer().serialize(value)
    assert decode(typed) == value


@pytest.mark.parametrize(
    "typed",
    [{"SS": ["a", "b"]}, {"NS": ["1", "2.5"]}, {"BS": [b"a"]}, {"B": b"\x00"}, {"N": "1E+2"}, {"M": {}}, {"L": []}],
)
def test_whatever_a_person_keeps_in_the_table_is_read_as_boto3_reads_it(typed):
    assert decode(typed) == TypeDeserializer().deserialize(typed)


@pytest.mark.parametrize("value", [1.5, object(), {"a": 0.1}])
def test_what_a_table_cannot_hold_is_refused(value):
    with pytest.raises(TypeError):
        encode(value)


WRITTEN_OUT = "1" + "0" * 50


@pytest.mark.parametrize(
    ("typed", "value"),
    [
        ({"N": WRITTEN_OUT}, Decimal("1E+50")),
        ({"NS": [WRITTEN_OUT, "1"]}, {Decimal("1E+50"), Decimal(1)}),
        ({"N": "0." + "0" * 129 + "1"}, Decimal("1E-130")),
    ],
)
def test_a_number_that_dynamodb_writes_out_with_all_its_zeros_is_read(typed, value):
    assert decode(typed) == value


def test_a_number_of_many_zeros_that_was_read_can_be_written_again():
    assert Decimal(encode(decode({"N": WRITTEN_OUT}))["N"]) == Decimal("1E+50")


@pytest.mark.parametrize("value", [10**40 + 1, Decimal("1E+127"), Decimal("NaN")])
def test_no_number_is_rounded_in_silence(value):
    with pytest.raises((DecimalException, TypeError)):
        encode(value)


def test_a_type_that_dynamodb_does_not_have_is_refused():
    with pytest.raises(TypeError, match="'X'"):
        decode({"X": 1})
