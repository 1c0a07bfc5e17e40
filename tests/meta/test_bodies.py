"""What S3 gives is read so that its checksum is looked at: `with answer["Body"] as body` would be the raw stream."""

from __future__ import annotations

import ast

from tests.meta.project import modules


def test_no_body_is_entered_itself():
    entered = [
        f"{module.path}:{item.context_expr.lineno}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.With)
        for item in node.items
        if _is_body(item.context_expr)
    ]

    assert entered == []


def _is_body(expression: ast.expr) -> bool:
    return (
        isinstance(expression, ast.Subscript)
        and isinstance(expression.slice, ast.Constant)
        and expression.slice.value == "Body"
    )
