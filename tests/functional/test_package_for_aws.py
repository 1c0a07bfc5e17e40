"""The zips for AWS, as `make zips` built them, and the hashes by which their libraries are taken."""

import os
import re
import zipfile
from pathlib import PurePosixPath

import pytest

from pipeline.settings import ROOT
from setup_scripts import package
from setup_scripts.write_hashes import hashed_lines
from tests import elf

#: Amazon Linux 2023, on which Lambda runs python3.13: glibc 2.34, and the libstdc++ of GCC 11.
NEWEST = {"GLIBC": (2, 34), "GLIBCXX": (3, 4, 29)}
EXTENSION = re.compile(r"\.(cpython-313|abi3)[\w-]*\.so$")
LICENCE = re.compile(r"(licen[cs]e|copying|notice)", re.IGNORECASE)
PINNED = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)


@pytest.fixture(scope="module", params=package.ARCHITECTURES)
def architecture(request):
    return request.param


@pytest.fixture(scope="module")
def archive(architecture):
    """The zip of this checkout for one architecture; its libraries come from what `make zips` has fetched."""
    runtime = package.aws_runtime(architecture)
    if not list((ROOT / ".build").glob(f"wheels-{runtime.key}-*")):
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up("the libraries for AWS are not here: `make zips` fetches them")
    with zipfile.ZipFile(package.build(runtime, ROOT, say=print)) as archive:
        yield archive


@pytest.fixture(scope="module")
def libraries(archive):
    return {name: archive.read(name) for name in archive.namelist() if re.search(r"\.so(\.|$)", name)}


def test_every_shared_library_is_for_the_machine_and_the_system_of_lambda(libraries, architecture):
    assert len(libraries) > 10
    assert {elf.machine(data) for data in libraries.values()} == {architecture}
    for library, newest in NEWEST.items():
        assert [name for name, data in libraries.items() if elf.newest(data, library) > newest] == []


def test_every_extension_module_is_for_the_python_of_lambda(libraries):
    modules = [name for name in libraries if not PurePosixPath(name).parent.name.endswith(".libs")]

    assert {"PIL", "oxipng"} <= {PurePosixPath(name).parent.name for name in modules}
    assert [name for name in modules if not EXTENSION.search(name)] == []


def test_every_library_brings_its_licence(archive):
    names = archive.namelist()
    licensed = {
        name.split("-")[0].replace("_", "-") for name in names if ".dist-info/" in name and LICENCE.search(name)
    }
    required = {name.replace("_", "-") for name, _ in PINNED.findall(package.REQUIREMENTS.read_text())}

    assert required <= licensed
    assert set(package.LICENCES) <= set(names)


def test_the_hashed_requirements_are_the_requirements_and_every_one_has_a_hash():
    plain = PINNED.findall(package.REQUIREMENTS.read_text())
    hashed = package.HASHED_REQUIREMENTS.read_text()

    assert PINNED.findall(hashed) == plain
    for block in hashed.split("==")[1:]:
        assert re.search(r"--hash=sha256:[0-9a-f]{64}", block)


def test_pip_is_given_hashes_for_aws_and_none_for_a_laptop():
    assert "--hash=" in package.requirements_for(package.aws_runtime("x86_64"))
    assert "--hash=" not in package.requirements_for(package.local_runtime())


def test_a_requirement_has_the_hashes_of_the_wheels_of_all_architectures():
    def report(sha256):
        entry = {"metadata": {"name": "pi_heif"}, "download_info": {"archive_info": {"hashes": {"sha256": sha256}}}}
        return {"install": [entry]}

    lines = hashed_lines("pi-heif==1.4.0", [report("bb"), report("aa"), report("aa")])

    assert lines == "pi-heif==1.4.0 \\\n    --hash=sha256:aa \\\n    --hash=sha256:bb\n"


def test_a_library_for_another_machine_or_a_newer_system_is_seen():
    with pytest.raises(ValueError, match="ELF"):
        elf.machine(b"MZ" + bytes(62))
    assert elf.machine(b"\x7fELF\x02\x01" + bytes(12) + b"\xf3\x00" + bytes(44)) == "machine 243"
