"""What the meta tests read: the project's own files and, from their syntax, what each module imports."""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

#: Folders of Python that are no part of the product: nothing in it may import from them.
DEVELOPMENT = ("tests", "docs", "benchmarks")

#: Folders whose modules are started by their path: `python setup_scripts/NAME.py`.
SCRIPT_FOLDERS = ("setup_scripts", "bulk", "img", "docs", "benchmarks")


@dataclass(frozen=True)
class Module:
    name: str
    path: Path
    tree: ast.Module

    @property
    def package(self) -> str:
        return self.name.split(".", 1)[0]

    @property
    def is_root_command(self) -> bool:
        return self.path.parent == ROOT

    @property
    def is_in_a_script_folder(self) -> bool:
        return self.is_root_command or self.package in SCRIPT_FOLDERS

    @property
    def is_script(self) -> bool:
        """Whether it does something when it is run: it has the `__name__` guard."""
        return any(isinstance(node, ast.If) and "__name__" in ast.unparse(node.test) for node in self.tree.body)


@cache
def files() -> tuple[Path, ...]:
    """Every file that belongs to the project: what git knows, or would add."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        check=True,
        text=True,
    )
    paths = {ROOT / name for name in listing.stdout.split("\0") if name}
    return tuple(sorted(path for path in paths if path.is_file()))


@cache
def modules() -> tuple[Module, ...]:
    return tuple(_module(path) for path in files() if path.suffix == ".py")


def product_modules() -> tuple[Module, ...]:
    return tuple(module for module in modules() if module.package not in DEVELOPMENT)


def scripts() -> tuple[Module, ...]:
    """All that a person starts by its path, the tools of development too."""
    return tuple(module for module in modules() if module.is_script and module.is_in_a_script_folder)


def programs() -> tuple[Module, ...]:
    """All that a person starts with `python -m`."""
    return tuple(module for module in modules() if module.path.name == "__main__.py")


def _module(path: Path) -> Module:
    name = ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
    return Module(name, path, ast.parse(path.read_text(encoding="utf-8")))


def imports(tree: ast.AST, *, with_types: bool = True) -> Iterator[str]:
    """The full names that are imported anywhere in it, in functions too; `with_types`: also under TYPE_CHECKING."""
    for node in _walk(tree, with_types=with_types):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, "imports are absolute"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _walk(node: ast.AST, *, with_types: bool) -> Iterator[ast.AST]:
    yield node
    if not with_types and isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
        return
    for child in ast.iter_child_nodes(node):
        yield from _walk(child, with_types=with_types)


def evaluated_at_import(tree: ast.Module) -> Iterator[ast.AST]:
    """The nodes that run when a module is imported: function bodies and the `__name__` guard are left out."""
    for statement in tree.body:
        if not (isinstance(statement, ast.If) and "__name__" in ast.unparse(statement.test)):
            yield from _walk_outside_functions(statement)


def _walk_outside_functions(node: ast.AST) -> Iterator[ast.AST]:
    yield node
    if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        children: list[ast.AST] = [*node.decorator_list, node.args]
    elif isinstance(node, ast.Lambda):
        children = [node.args]
    else:
        children = list(ast.iter_child_nodes(node))
    for child in children:
        yield from _walk_outside_functions(child)
