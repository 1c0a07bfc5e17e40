"""Imports go down only, the core stays free of the outside world, and importing does nothing."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import subprocess
import sys

import pytest

from tests.meta.layers import USES, is_pure, level, refusal
from tests.meta.project import DEVELOPMENT, ROOT, Module, evaluated_at_import, files, imports, product_modules

#: Packages and modules that speak with the outside world.
OUTSIDE = {"boto3", "botocore", "requests", "httpx", "urllib3", "aiohttp", "pymongo", "socket", "ssl", "asyncio"}
OUTSIDE_IN_URLLIB = ("http.client", "http.server", "urllib.request")
#: What the image core is built upon; the rest of the pure modules needs the standard library only.
IMAGE_LIBRARIES = {"PIL", "oxipng"}
#: Words in a call or a subscript that reads settings or makes a client.
ACTIONS = re.compile(r"\b(environ|getenv|from_environment|make_client|boto3)\b")


def _layer(module: Module) -> str:
    return f"root.{module.name}" if module.is_root_command else module.name


def _own(name: str) -> str | None:
    """The name by which the layers know an imported module of ours; None for other people's."""
    package = name.split(".")[0]
    if package in USES or package in DEVELOPMENT:
        return name
    return f"root.{name}" if (ROOT / f"{package}.py").is_file() else None


def _refusals() -> list[str]:
    pairs = (
        (_layer(module), own) for module in product_modules() for name in imports(module.tree) if (own := _own(name))
    )
    return [reason for importer, imported in pairs if importer != imported and (reason := refusal(importer, imported))]


def test_imports_go_down_only():
    assert _refusals() == []


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("pipeline.images.decode", "pipeline.storage.Storage"),
        ("pipeline.table.records", "pipeline.storage"),
        ("pipeline.storage", "pipeline.services"),
        ("pipeline.services", "pipeline.process"),
        ("pipeline.keys", "pipeline.settings"),
        ("pipeline.process", "cli.console"),
        ("lambda_function.handler", "cli.console"),
        ("lambda_function.handler", "setup_scripts.policies"),
        ("setup_scripts.steps", "lambda_function.handler"),
        ("setup_scripts.steps", "local_cloud.server"),
        ("bulk.compress", "setup_scripts.steps"),
        ("cli.targets", "setup_scripts.steps"),
        ("cli.targets", "tests.fakes"),
        ("root.setup", "root.teardown"),
        ("root.query", "bulk.compress"),
    ],
)
def test_an_import_upwards_or_sideways_is_refused(importer, imported):
    assert refusal(importer, imported)


@pytest.mark.parametrize(
    ("importer", "imported"),
    [
        ("pipeline.process", "pipeline.services.Services"),
        ("pipeline.process", "pipeline.storage.StoredObject"),
        ("pipeline.storage", "pipeline.clients"),
        ("pipeline.images.decode", "pipeline.errors.Code"),
        ("lambda_function.handler", "pipeline.process.process"),
        ("cli.targets", "pipeline.clients"),
        ("root.setup", "setup_scripts.steps"),
        ("root.setup", "local_cloud.server"),
        ("scripts.resize", "imageservice.scans"),
    ],
)
def test_an_import_downwards_is_allowed(importer, imported):
    assert refusal(importer, imported) is None


def test_every_module_of_the_core_stands_on_a_level():
    core = [module for module in product_modules() if module.package == "pipeline" and module.path.stem != "__init__"]

    assert [module.name for module in core if level(module.name) is None] == []


def test_modules_do_not_import_in_circles():
    graph = {module.name: {name for name in _names(module) if name != module.name} for module in product_modules()}
    while leaves := {name for name, imported in graph.items() if not imported & graph.keys()}:
        graph = {name: imported for name, imported in graph.items() if name not in leaves}

    assert sorted(graph) == []


def _names(module: Module) -> set[str]:
    """What it imports when it is itself imported, with and without the last part, which may be a name in a module."""
    found = {name for node in evaluated_at_import(module.tree) for name in _direct(node)}
    return found | {name.rpartition(".")[0] for name in found}


def _direct(node: ast.AST) -> list[str]:
    return list(imports(node, with_types=False)) if isinstance(node, ast.Import | ast.ImportFrom) else []


@pytest.mark.parametrize("module", [m for m in product_modules() if is_pure(m.name)], ids=lambda module: module.name)
def test_a_pure_module_uses_the_standard_library_and_reaches_nothing_outside(module):
    imported = list(imports(module.tree))
    foreign = {name.split(".")[0] for name in imported} - set(sys.stdlib_module_names) - {"pipeline"}

    assert foreign <= (IMAGE_LIBRARIES if module.name.startswith("pipeline.images") else set())
    assert not OUTSIDE & {name.split(".")[0] for name in imported}
    assert not [name for name in imported if name.startswith(OUTSIDE_IN_URLLIB)]


def test_the_pure_modules_load_without_any_aws_library():
    names = ", ".join(module.name for module in product_modules() if is_pure(module.name))
    code = f"import sys, {names}; print(sorted({OUTSIDE - {'socket', 'ssl', 'asyncio'}!r} & sys.modules.keys()))"

    output = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert output.stdout.strip() == "[]"


def test_the_core_never_reads_the_environment_itself():
    readers = [
        module.name for module in product_modules() if module.package == "pipeline" and _reads_environment(module)
    ]

    assert readers == []


def _reads_environment(module: Module) -> bool:
    return any(isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv") for node in ast.walk(module.tree))


def test_only_lambda_entry_points_read_settings_or_make_clients_when_imported():
    others = (module for module in product_modules() if module.package != "lambda_function")

    assert [f"{module.name}: {name}" for module in others for name in _used_at_import(module)] == []


def _used_at_import(module: Module) -> list[str]:
    actions = (node for node in evaluated_at_import(module.tree) if isinstance(node, ast.Call | ast.Subscript))
    return [text for node in actions if ACTIONS.search(text := ast.unparse(node))]


def test_what_lambda_runs_imports_only_what_its_zip_carries():
    requirements = ROOT / "lambda_function" / "requirements.txt"
    if not requirements.exists():
        return
    carried = {_normal(line) for line in requirements.read_text().splitlines() if re.match(r"\w", line)}
    modules = [module for module in product_modules() if module.package in ("pipeline", "lambda_function")]
    needed = {name.split(".")[0] for module in modules for name in imports(module.tree, with_types=False)}
    owners = importlib.metadata.packages_distributions()
    foreign = needed - set(sys.stdlib_module_names) - {"pipeline", "lambda_function"}

    assert {_normal(owners[name][0]) for name in foreign} <= carried


def _normal(requirement: str) -> str:
    return re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower().replace("_", "-")


def test_run_py_needs_nothing_but_python_because_it_makes_the_virtual_environment():
    run = next((module for module in product_modules() if module.name == "run"), None)

    assert run is None or {name.split(".")[0] for name in imports(run.tree)} <= set(sys.stdlib_module_names)


def test_package_files_are_empty():
    assert [str(path) for path in files() if path.name == "__init__.py" and path.stat().st_size] == []
