import json
import os
import subprocess
import sys
import zipfile
from pathlib import PurePosixPath, PureWindowsPath

import pytest

from cli.commit import commit
from pipeline.settings import ROOT, Settings
from setup_scripts import package
from setup_scripts.installed import copy_installed
from setup_scripts.zipping import entry_name

MOST_BYTES = 15_000_000
SETTINGS = Settings(
    uploads_bucket="uploads",
    outputs_bucket="outputs",
    table_name="ImageMetadata",
    queue_url="http://127.0.0.1:1/000000000000/queue",
    outputs_url="http://127.0.0.1:1/outputs",
    uploads_url="http://127.0.0.1:1/uploads",
)

LOOK_AROUND = """
import importlib, json, os, sys
folder = os.getcwd()
sys.path.insert(0, folder)
import lambda_function.handler, lambda_function.gallery_api, PIL.JpegImagePlugin, PIL.WebPImagePlugin
import boto3
for service in ("s3", "sqs", "dynamodb"):
    boto3.client(service, region_name="us-east-1")
stdlib = os.path.dirname(os.__file__)
files = {getattr(module, "__file__", None) or folder for module in list(sys.modules.values())}
foreign = sorted(file for file in files if not file.startswith((folder, stdlib)))
print(json.dumps({
    "foreign": foreign,
    "compiled": lambda_function.handler.__cached__,
    "unwanted": sorted({"numpy", "pydantic", "pip"} & sys.modules.keys()),
}))
"""

COLD_START = """
import json, os, sys
sys.path.insert(0, os.getcwd())
import botocore.session
made = []
create = botocore.session.Session.create_client
def noted(session, service, **options):
    made.append((id(session), service))
    return create(session, service, **options)
botocore.session.Session.create_client = noted
import lambda_function.handler
print(json.dumps({"made": made, "loaded": sorted(sys.modules)}))
"""


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return tmp_path_factory.mktemp("package")


@pytest.fixture(scope="module")
def path(home):
    """The zip for this Python, made of what is installed here."""
    return package.build(package.local_runtime(), home, say=lambda text: None)


def names_in(path):
    with zipfile.ZipFile(path) as archive:
        return archive.namelist()


@pytest.fixture(scope="module")
def unpacked(path, tmp_path_factory):
    return unpacked_zip(path, tmp_path_factory.mktemp("unpacked"))


def unpacked_zip(path, folder):
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder)
    return folder


def run_there(folder, program):
    """What `program` prints, in a Python that has nothing but the unpacked zip."""
    environ = {**SETTINGS.to_environment(), "AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}
    environ |= {name: os.environ[name] for name in ("SYSTEMROOT",) if name in os.environ}
    ended = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], cwd=folder, env=environ, capture_output=True, text=True
    )
    assert ended.returncode == 0, ended.stderr
    return json.loads(ended.stdout)


def test_the_zip_imports_in_an_interpreter_that_sees_nothing_else(unpacked):
    found = run_there(unpacked, LOOK_AROUND)

    assert found["foreign"] == []
    assert found["unwanted"] == []


def test_a_cold_start_makes_two_clients_of_one_session_and_loads_nothing_that_a_batch_can_do_without(unpacked):
    found = run_there(unpacked, COLD_START)

    sessions = {session for session, _ in found["made"]}
    assert [service for _, service in found["made"]] == ["s3", "dynamodb"] and len(sessions) == 1
    powertools = ("aws_lambda_powertools.utilities.batch", "aws_lambda_powertools.event_handler")
    assert [name for name in found["loaded"] if name.startswith(("asyncio", "boto3", "pydantic", *powertools))] == []


def test_the_zip_is_small_enough(path):
    assert path.stat().st_size <= MOST_BYTES


def test_the_zip_holds_our_code_as_it_is(path):
    with zipfile.ZipFile(path) as archive:
        ours = {name for name in archive.namelist() if name.startswith(("pipeline/", "lambda_function/"))}
        sources = {name for name in ours if not name.endswith(".pyc")}

        assert {"pipeline/process.py", "lambda_function/handler.py", "lambda_function/gallery_api.py"} <= sources
        for name in sources - {"pipeline/version.py"}:
            assert archive.read(name) == (ROOT / name).read_bytes()


def test_the_zip_holds_nothing_that_the_functions_never_read(path):
    services = {
        name.split("/")[2] for name in names_in(path) if name.startswith("botocore/data/") and name.count("/") > 2
    }

    assert services == {"batch", "dynamodb", "s3", "sqs"}
    assert not [name for name in names_in(path) if name.startswith(("numpy", "pydantic", "pip/", "bin/", "cli/"))]
    assert not [name for name in names_in(path) if "/tests/" in name]


def test_every_module_is_compiled_without_naming_the_folder_it_was_built_in(path, home):
    with zipfile.ZipFile(path) as archive:
        compiled = [name for name in archive.namelist() if name.endswith(".pyc")]
        flags = {archive.read(name)[4] for name in compiled}

        assert sum(name.endswith(".py") for name in archive.namelist()) == len(compiled)
        assert flags == {0b01}, "unchecked hash"
        assert not [name for name in compiled if str(home).encode() in archive.read(name)]


def test_the_same_sources_give_the_same_bytes(path, tmp_path):
    again = package.build(package.local_runtime(), tmp_path, say=lambda text: None)

    assert again.name == path.name
    assert again.read_bytes() == path.read_bytes()


def test_another_checkout_on_another_system_gives_the_same_bytes(path, tmp_path):
    """One with the line ends of Windows and the litter of macOS, other modes, times and order, under another name."""
    checkout = tmp_path / "A Checkout"
    sources = [file for folder in package.SOURCES for file in (ROOT / folder).rglob("*") if file.suffix != ".pyc"]
    for source in sorted([*sources, *(ROOT / name for name in package.LICENCES)], reverse=True):
        if source.is_file():
            copy = checkout / source.relative_to(ROOT)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(source.read_bytes().replace(b"\n", b"\r\n"))
            copy.chmod(0o777)
            os.utime(copy, (0, 0))
            (copy.parent / f"._{copy.name}").write_bytes(b"\x00\x05\x16\x07")
    for litter in (".DS_Store", "Thumbs.db", "desktop.ini"):
        (checkout / "pipeline" / litter).write_bytes(b"litter")

    again = package.build(
        package.local_runtime(), tmp_path / "home", say=lambda text: None, root=checkout, commit=commit(ROOT)
    )

    assert again.read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("path", "folder"),
    [
        (PureWindowsPath("C:\\Users\\Ana\\p\\pipeline\\keys.py"), PureWindowsPath("C:\\Users\\Ana\\p")),
        (PurePosixPath("/Users/ana/p/pipeline/keys.py"), PurePosixPath("/Users/ana/p")),
    ],
)
def test_entries_are_named_alike_on_every_system(path, folder):
    assert entry_name(path, folder) == "pipeline/keys.py"


def test_every_entry_has_the_same_mode_time_and_system(path):
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()

    assert {(entry.external_attr, entry.date_time, entry.create_system) for entry in entries} == {
        (0o100644 << 16, (1980, 1, 1, 0, 0, 0), 3)
    }
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)


def test_a_second_build_reads_what_the_first_one_made(path, home):
    said: list[str] = []
    before = path.stat().st_mtime_ns

    assert package.build(package.local_runtime(), home, say=said.append) == path
    assert path.stat().st_mtime_ns == before
    assert said == []


def test_nothing_half_made_stays(path, home):
    assert not [
        entry.name for entry in (home / ".build").iterdir() if "making" in entry.name or "partial" in entry.name
    ]


@pytest.mark.parametrize(("machine", "tag"), [("arm64", "aarch64"), ("x86_64", "x86_64")])
def test_wheels_for_aws_are_of_its_python_its_machine_and_its_glibc(machine, tag):
    runtime = package.aws_runtime(machine)

    assert runtime.python == (3, 13)
    assert runtime.platforms == (f"manylinux_2_34_{tag}", f"manylinux_2_28_{tag}", f"manylinux2014_{tag}")


def test_the_closure_names_one_exact_version_each_and_no_marker():
    lines = package.REQUIREMENTS.read_text().splitlines()
    pinned = [line for line in lines if line and not line.startswith("#")]

    assert all(line.count("==") == 1 and ";" not in line for line in pinned)


def test_the_closure_has_the_versions_that_everything_else_is_tested_with():
    from importlib.metadata import version

    for line in package.REQUIREMENTS.read_text().splitlines():
        name, _, pinned = line.partition("==")
        if pinned and not (name == "pyoxipng" and sys.version_info >= (3, 14)):
            assert version(name) == pinned, name


@pytest.mark.parametrize("requirement", ["boto3==0.0.1", "no-such-package==1.0"])
def test_another_version_than_the_installed_one_is_not_copied(requirement, tmp_path):
    assert copy_installed(f"six==1.17.0\n{requirement}\n", tmp_path / "site") is False
    assert not (tmp_path / "site").exists()
