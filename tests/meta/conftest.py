"""Sizes of functions and modules, told after the tests: nothing fails for them, but growth is seen."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from statistics import median, quantiles

import pytest

from tests.meta.project import Module, product_modules

LONG_FUNCTION = 30
LONG_MODULE = 200
SHOWN = 5


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    functions = sorted(size for module in product_modules() for size in _functions(module))
    modules = sorted((_lines(module), str(module.name)) for module in product_modules())
    if len(functions) > 1:
        terminalreporter.write_sep("-", "sizes in lines")
        terminalreporter.write_line(_summary("functions", functions, LONG_FUNCTION))
        terminalreporter.write_line(_summary("modules", modules, LONG_MODULE))


def _summary(what: str, sizes: list[tuple[int, str]], limit: int) -> str:
    numbers = [lines for lines, _ in sizes]
    over = [f"{name} {lines}" for lines, name in reversed(sizes) if lines > limit]
    named = f": {', '.join(over[:SHOWN])}{' …' * (len(over) > SHOWN)}" if over else ""
    middle, high = median(numbers), round(quantiles(numbers, n=10)[-1])
    return f"{what}: {len(sizes)}, median {middle:g}, 90th percentile {high}, {len(over)} over {limit}{named}"


def _functions(module: Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            yield node.end_lineno - node.lineno + 1, f"{module.name}.{node.name}"


def _lines(module: Module) -> int:
    return len(module.path.read_text(encoding="utf-8").splitlines())
