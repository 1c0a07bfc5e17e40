"""The Dockerfile without Docker: linted, its context looked through, its commands run in an environment."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

import pytest

from tests.images import jpeg, noise
from tests.local_cloud_fixture import CREDENTIALS, LocalCloud
from tests.meta.project import ROOT, files

DOCKERFILE = ROOT / "Dockerfile"
PROGRAM = "compress-images-s3"


@dataclass(frozen=True)
class Instruction:
    stage: str
    word: str
    rest: str


def instructions() -> list[Instruction]:
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(encoding="utf-8"), flags=re.MULTILINE).replace("\\\n", " ")
    found, stage = [], ""
    for line in filter(None, map(str.strip, text.splitlines())):
        word, _, rest = line.partition(" ")
        if word == "FROM":
            stage = rest.rsplit(" AS ", 1)[1]
        found.append(Instruction(stage, word, rest.strip()))
    return found


def stages() -> dict[str, str]:
    """What each stage begins with, in order."""
    return {one.stage: one.rest.split()[0] for one in instructions() if one.word == "FROM"}


def of_image(name: str) -> Iterator[Instruction]:
    """All that makes the image `name`, that of the stages below it first."""
    below = stages()[name]
    if below in stages():
        yield from of_image(below)
    yield from (one for one in instructions() if one.stage == name and one.word != "FROM")


def is_in_context(path: str) -> bool:
    """Whether .dockerignore lets `path` through: the last line that matches it, or a folder above it, decides."""
    kept = True
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for line in (line for line in lines if line and not line.startswith("#")):
        pattern = line.removeprefix("!")
        names = [path, *map(str, PurePosixPath(path).parents)][:-1] if "/" in path else [path]
        if any(_matches(name, pattern) for name in names):
            kept = line.startswith("!")
    return kept


def _matches(path: str, pattern: str) -> bool:
    if pattern.startswith("**/"):
        return _matches(PurePosixPath(path).name, pattern[3:])
    parts, wanted = path.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(map(fnmatchcase, parts, wanted))


def test_hadolint_finds_nothing():
    linter = Path(sys.executable).with_name("hadolint")
    if not linter.exists():
        give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        give_up("hadolint is not installed: `make setup-dev` installs it where there is a wheel of it")

    ended = subprocess.run([linter, DOCKERFILE], capture_output=True, text=True, timeout=60)

    assert (ended.returncode, ended.stdout) == (0, "")


def test_without_a_target_the_program_that_compresses_in_place_is_built():
    assert list(stages())[-1] == PROGRAM


@pytest.mark.parametrize("image", [name for name, below in stages().items() if below in stages()])
def test_arguments_of_docker_run_reach_the_program_and_nothing_is_published(image):
    made = list(of_image(image))
    last = {one.word: one.rest for one in made}

    assert "EXPOSE" not in last and "CMD" not in last
    program = json.loads(last["ENTRYPOINT"])
    assert program[0] == "python" and (ROOT / program[1]).is_file()
    assert last["WORKDIR"] == "/app"
    assert last["USER"] not in ("root", "0", "0:0")


def test_the_base_is_named_with_its_version():
    [base] = {below for below in stages().values() if below not in stages()}

    assert re.fullmatch(r"python:3\.1[1-4](\.\d+)?-slim-\w+", base)


@pytest.mark.parametrize(
    "path",
    [".env", "config/.env", "aws_resources.db", ".local_cloud/s3/x", ".git/config", "img/sunset.jpg", "tests/images.py"]
    + ["bulk/__pycache__/x.pyc", "pipeline/images/__pycache__/x.pyc", "lambda_function/handler.py"],
)
def test_no_credentials_no_state_and_no_pictures_go_into_an_image(path):
    assert not is_in_context(path)


def test_the_list_may_lie_beside_the_dockerfile():
    assert is_in_context("dataset.csv")


def test_all_that_the_programs_import_goes_into_the_image():
    lost = set()
    for path in (path for path in files() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] == "bulk"):
        lost |= {name for name in _imported(path) if (ROOT / name).exists() and not is_in_context(f"{name}/x.py")}

    assert lost == set()


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.split(".")[0]


@dataclass(frozen=True)
class Container:
    """A folder in the place of /app and an environment in the place of the image's Python."""

    app: Path
    python: Path

    def run(self, command: list[str], **environ: str) -> subprocess.CompletedProcess[str]:
        path = f"{self.python.parent}{os.pathsep}{os.environ['PATH']}"
        environment = {"PATH": path, "HOME": str(self.app), **environ}
        return subprocess.run(command, cwd=self.app, env=environment, capture_output=True, text=True, timeout=280)


@pytest.fixture(scope="module")
def container(tmp_path_factory) -> Container:
    """What the instructions of the default image make, as far as they can be followed without Docker."""
    home = tmp_path_factory.mktemp("container")
    subprocess.run([sys.executable, "-m", "venv", home / "venv"], check=True, timeout=120)
    made = Container(home / "app", home / "venv" / "bin" / "python")
    made.app.mkdir()
    for one in of_image(PROGRAM):
        if one.word == "COPY":
            copy(one.rest.split(), made.app)
        elif one.word == "RUN":
            proxies = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
            ended = made.run(["/bin/sh", "-ec", one.rest], **proxies)
            if ended.returncode and "onnection" in ended.stderr and os.environ.get("CI") != "true":
                pytest.skip("the package index cannot be reached")
            assert ended.returncode == 0, f"RUN {one.rest}\n{ended.stderr}"
    return made


def copy(arguments: list[str], app: Path) -> None:
    """COPY, of what .dockerignore lets through and git knows."""
    *sources, target = arguments
    for path in files():
        name = path.relative_to(ROOT).as_posix()
        wanted = "." in sources or name in sources
        if wanted and is_in_context(name):
            copied = app / (name if "." in sources else f"{target}/{path.name}")
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copied)


def entry_point() -> list[str]:
    [program] = [one.rest for one in of_image(PROGRAM) if one.word == "ENTRYPOINT"]
    return list(json.loads(program))


def test_the_program_explains_itself_in_its_image(container):
    ended = container.run([*entry_point(), "--help"])

    assert ended.returncode == 0, ended.stderr
    assert "--bucket_name" in ended.stdout


@pytest.mark.local_cloud
def test_the_printed_command_compresses_a_bucket(container, local_cloud: LocalCloud):
    s3 = local_cloud.client("s3")
    s3.create_bucket(Bucket="meu-bucket")
    s3.put_bucket_versioning(Bucket="meu-bucket", VersioningConfiguration={"Status": "Enabled"})
    original = jpeg(noise((400, 300)), quality=98)
    s3.put_object(Bucket="meu-bucket", Key="imagens/imagem1.jpg", Body=original, ContentType="image/jpeg")
    (container.app / "dataset.csv").write_text("path\nimagens/imagem1.jpg\n")

    line = "--bucket_name meu-bucket --csv_path /app/dataset.csv".replace("/app", str(container.app))
    ended = container.run([*entry_point(), *line.split()], **CREDENTIALS, AWS_ENDPOINT_URL=local_cloud.endpoint_url)

    assert ended.returncode == 0, ended.stderr
    made = s3.get_object(Bucket="meu-bucket", Key="imagens/imagem1.jpg")
    assert made["ContentLength"] < len(original) and made["ContentType"] == "image/jpeg"
    [log] = container.app.glob("log_*.log")
    assert "Upload object imagens/imagem1.jpg for bucket meu-bucket" in log.read_text()
