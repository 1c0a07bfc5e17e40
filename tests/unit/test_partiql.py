from decimal import Decimal
from typing import Any

import pytest

from cli.partiql import execute, main, plain


class Pages:
    """A DynamoDB client that gives one page after the other."""

    def __init__(self, *pages):
        self.pages = list(pages)
        self.requests = []

    def execute_statement(self, **request):
        self.requests.append(request)
        return self.pages.pop(0)


@pytest.mark.parametrize("statement", ["", " ", ";", " ; "])
def test_an_empty_statement_is_wrong_use(statement, capsys):
    with pytest.raises(SystemExit) as left:
        main([statement])

    assert left.value.code == 2 and "PARTIQL is empty" in capsys.readouterr().err


def test_every_page_is_fetched():
    client: Any = Pages(
        {"Items": [{"ImageID": {"S": "a"}}], "NextToken": "more"},
        {"Items": [], "NextToken": "still more"},
        {"Items": [{"ImageID": {"S": "b"}}]},
    )

    assert list(execute(client, "SELECT * FROM ImageMetadata")) == [{"ImageID": "a"}, {"ImageID": "b"}]
    assert [request.get("NextToken") for request in client.requests] == [None, "more", "still more"]


@pytest.mark.parametrize("written", ["SELECT 1;", "  SELECT 1 ; ", "SELECT 1\n;\n"])
def test_the_closing_semicolon_may_stay(written):
    client: Any = Pages({"Items": []})

    assert list(execute(client, written)) == []
    assert client.requests == [{"Statement": "SELECT 1"}]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Decimal("3"), 3),
        (Decimal("35.4"), 35.4),
        (Decimal("-0.5"), -0.5),
        ({"a": [Decimal(1), {"b": None}]}, {"a": [1, {"b": None}]}),
        ({"x", "a"}, ["a", "x"]),
        (b"\x00\xff", "AP8="),
        (True, True),
        ("text", "text"),
    ],
)
def test_values_become_what_json_has(value, expected):
    assert plain(value) == expected
