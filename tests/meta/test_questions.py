"""What comes from outside is a value in what the table is asked, never a part of the question."""

from __future__ import annotations

import ast
import re

import pytest

from pipeline.gallery.listing import query
from pipeline.gallery.pages import Place
from pipeline.gallery.wanted import Order, Wanted
from tests.hostile_texts import HOSTILE
from tests.meta.project import product_modules

#: Where a person's own statement is passed on as it was typed.
TYPED = "cli.partiql"
#: All that our expressions are made of: names, marks that begin with a colon or #, functions, comparisons.
EXPRESSION = re.compile(r"[A-Za-z0-9_:#,() <>=.]*")


def test_only_what_a_person_has_typed_is_executed_as_partiql():
    speaking = {
        module.name
        for module in product_modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr in ("execute_statement", "batch_execute_statement")
    }

    assert speaking == {TYPED}


@pytest.mark.parametrize("order", Order)
def test_no_word_of_a_visitor_becomes_a_part_of_an_expression(order):
    for text in (*HOSTILE, "' OR ImageID > :shard OR ImageID = '", ":shard", "#a, Note"):
        wanted = Wanted(order=order, prefix=text, format=text, since=text, until=text)

        asked = query("0", Place(text, {"0": text}), wanted)

        expressions = [asked["KeyConditionExpression"], asked.get("FilterExpression", "")]
        assert all(EXPRESSION.fullmatch(expression) for expression in expressions)
        assert text in [value["S"] for value in asked["ExpressionAttributeValues"].values()]
        assert expressions == _asked_for_plain_words(order)


def _asked_for_plain_words(order: Order) -> list[str]:
    plain = query("0", Place("a", {"0": "a"}), Wanted(order=order, prefix="a", format="a", since="a", until="a"))
    return [plain["KeyConditionExpression"], plain.get("FilterExpression", "")]
