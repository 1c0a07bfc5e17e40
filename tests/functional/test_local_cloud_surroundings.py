"""What the server and the functions are given: their environment and their Python."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from local_cloud.environment import server_environment
from local_cloud.folder import Folder
from local_cloud.interpreter import bare_python


def test_only_named_variables_of_the_shell_are_passed_on(tmp_path):
    shell = {"PATH": "/bin", "LANG": "C", "PYTHONPATH": "x", "AWS_PROFILE": "work", "TOKEN": "s", "HTTPS_PROXY": "p"}

    given = server_environment(shell, Folder(tmp_path), port=4600, auth=False)

    assert (given["PATH"], given["LANG"]) == ("/bin", "C")
    assert not {"PYTHONPATH", "AWS_PROFILE", "TOKEN", "HTTPS_PROXY"} & given.keys()


def test_nothing_listens_but_the_one_port_and_no_docker_is_found(tmp_path):
    given = server_environment({}, Folder(tmp_path), port=4600, auth=True)

    assert given["BIND_HOST"] == "127.0.0.1"
    assert given["GATEWAY_PORT"] == "4600"
    assert (given["SFTP_ENABLED"], given["IOT_MTLS_ENABLED"]) == ("0", "0")
    assert given["AUTH"] == "true"
    assert not Path(given["DOCKER_HOST"].removeprefix("unix://")).exists()


def test_the_python_of_the_functions_has_the_standard_library_and_nothing_else(tmp_path):
    python = bare_python(tmp_path / "python")

    assert imports(python, "sqlite3, ssl, zoneinfo")
    assert not imports(python, "boto3")
    assert not imports(python, "pip")


def test_it_is_made_once(tmp_path):
    made = bare_python(tmp_path / "python")
    (tmp_path / "python" / "mark").touch()

    assert bare_python(tmp_path / "python") == made
    assert (tmp_path / "python" / "mark").exists()


def test_it_is_made_again_when_its_python_has_been_uninstalled(tmp_path):
    made = bare_python(tmp_path / "python")
    made.unlink()
    made.symlink_to("/uninstalled/python")

    assert imports(bare_python(tmp_path / "python"), "sys")


def test_each_version_has_its_own(tmp_path):
    assert Folder(tmp_path).python.name == f"python-{sys.version.split()[0].rstrip('+')}"


def imports(python: Path, names: str) -> bool:
    return subprocess.run([python, "-c", f"import {names}"], cwd="/", capture_output=True).returncode == 0
