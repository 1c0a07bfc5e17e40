"""Values as DynamoDB's API writes them, each with its type, and as Python has them.

The same as `boto3.dynamodb.types`, without importing boto3: botocore alone makes our clients. But for numbers of more
than 38 digits: DynamoDB writes 1E+50 out with all its zeros, and boto3 refuses to read that. Source: "AttributeValue"
in the DynamoDB API reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Clamped, Context, Decimal, Inexact, Overflow, Underflow
from typing import Any

#: What a number may be: 38 digits that say something, and none of them lost in silence.
_NUMBERS = Context(Emin=-128, Emax=126, prec=38, traps=[Clamped, Overflow, Inexact, Underflow])


def encode(value: object) -> dict[str, Any]:
    """`value` with its type; TypeError for what a table cannot hold, such as a float or no finite number."""
    match value:
        case None:
            return {"NULL": True}
        case bool():
            return {"BOOL": value}
        case int() | Decimal() if Decimal(value).is_finite():
            return {"N": str(_NUMBERS.create_decimal(value))}
        case str():
            return {"S": value}
        case bytes():
            return {"B": value}
        case list() | tuple():
            return {"L": [encode(one) for one in value]}
        case Mapping():
            return {"M": {name: encode(one) for name, one in value.items()}}
    raise TypeError(f"{value!r} is a {type(value).__name__}, which a table cannot hold")


def decode(typed: Mapping[str, Any]) -> Any:
    """The value; numbers become Decimal, sets become sets. TypeError for a type that DynamoDB does not have."""
    [(kind, value)] = typed.items()
    match kind:
        case "NULL":
            return None
        case "BOOL" | "S" | "B":
            return value
        case "N":
            return Decimal(value)
        case "SS" | "BS":
            return set(value)
        case "NS":
            return set(map(Decimal, value))
        case "L":
            return [decode(one) for one in value]
        case "M":
            return {name: decode(one) for name, one in value.items()}
    raise TypeError(f"DynamoDB has no type {kind!r}")
