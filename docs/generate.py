"""Writes docs/commands.md and docs/configuration.md from the programs themselves, and figures from their results."""

from __future__ import annotations

import argparse
import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import MISSING, fields
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from docs.figures import with_figures
from pipeline.images.variants import listed
from pipeline.settings import ROOT, Settings

DOCS = ROOT / "docs"
NOTE = "<!-- Written by `make docs` from the programs; changes made here by hand are lost. -->\n"
#: Folders whose Python is looked through for the variables that it reads.
PACKAGES = ("bulk", "cli", "imageservice", "lambda_function", "local_cloud", "pipeline", "scripts", "setup_scripts")
#: Folders whose programs are started by their path.
SCRIPT_FOLDERS = ("setup_scripts", "bulk")

#: Variables that setup.py gives to the functions: what each is for.
FUNCTION_VARIABLES = {
    "UPLOADS_BUCKET": "the bucket whose images are processed",
    "OUTPUTS_BUCKET": "the bucket that takes thumbnails, compressed images and the gallery; never the uploads bucket",
    "TABLE_NAME": "the metadata table",
    "OUTPUTS_URL": "the address under which the outputs bucket is read",
    "UPLOADS_URL": "the address by which records name the originals, which are not public",
    "QUEUE_URL": "the queue whose messages are processed: the visibility of a message that must wait is set there",
    "FUNCTION_TIMEOUT": "seconds after which Lambda ends a call; by it the outputs that dead workers left are told",
    "PUBLIC_CAPTURE_FACTS": "whether the gallery's API shows when and with what an image was taken",
    "STATS_TABLE_NAME": "the table of totals",
    "PRICE_PER_GB_MONTH": "by which the gallery says what was saved; `setup.py` hands on its own",
    "VARIANT_FORMATS": "formats in which every image is made besides: `webp,avif` ([variants](variants.md))",
    "VARIANT_WIDTHS": "the widths, in pixels, in which these are made",
    "IMAGE_PRESET": "how much CPU may go into fewer bytes: `fast`, `balanced` or `small` ([why](decisions/presets.md))",
}
#: Variables that a person may set: what each is for, and what holds without it.
OWN_VARIABLES = {
    "IMAGE_PIPELINE_HOME": (
        "the folder of `aws_resources.db`, `.env`, `config/.env`, `.postback_signing_secrets`, `.local_cloud/` and"
        " `.build/`",
        "the checkout",
    ),
    "LOCAL_CLOUD_PORT": ("the port of the local cloud on 127.0.0.1", "4566"),
    "LOCAL_CLOUD_AUTH": ("`true`: the local cloud checks signatures and policies as AWS does", "`false`"),
    "PRICE_PER_GB_MONTH": (
        "for `setup.py`: what a gigabyte costs in a month, in dollars",
        "what setup was told before, else 0.023",
    ),
    "AWS_ENDPOINT_URL": (
        "the address of an AWS-like service: commands act there, where setup remembers no other deployment",
        "none",
    ),
    "AWS_ACCESS_KEY_ID": ("the access key, together with its secret", "what boto3 finds"),
    "AWS_SECRET_ACCESS_KEY": ("the secret of the access key", "what boto3 finds"),
    "AWS_SESSION_TOKEN": ("the third part of temporary credentials", "none"),
    "AWS_PROFILE": ("a profile of the AWS CLI, for its credentials and region", "`default`"),
    "AWS_DEFAULT_REGION": ("the region, after `AWS_REGION`, `--region` and a remembered deployment", "`us-east-1`"),
    "AWS_LAMBDA_FUNCTION_NAME": ("set by Lambda: the name under which a function's metrics are kept", "image-pipeline"),
    "BUCKET_NAME": ("for `bulk/drain_bucket.py`, as the next three: the bucket that is drained", "refused"),
    "PATH_TO_SEARCH": ("a prefix of its keys, or a pattern with `*` and `?`", "refused"),
    "LOCAL_BASE_PATH": ("the folder that the objects go to", "refused"),
    "PROCESSED_PATH": ("the folder of objects that another program has processed already", "none"),
}

#: Variables that a job of AWS Batch is given: what each is for, and what holds without it.
JOB_VARIABLES = {
    "BATCH_JOB_KEY": ("which batch of the list the job is for: `batch_3`, or `3`", "the array index"),
    "AWS_BATCH_JOB_ARRAY_INDEX": ("set by AWS Batch on the children of an array job; index 0 is `batch_1`", "none"),
    "BATCH_QUEUE": ("on the function that submits: the job queue; `setup.py --with-batch` sets it", "refused"),
    "BATCH_JOB_DEFINITION": ("on the function that submits: the job definition, likewise", "refused"),
    "BATCH_JOB_MEMORY": ("from the job definition: memory in MB, half of which may hold pictures", "the machine's"),
    "AWS_BATCH_JOB_ID": (
        "set by AWS Batch; the same for all attempts of a job, which go on from a checkpoint",
        "a new one",
    ),
    "AWS_BATCH_JOB_ATTEMPT": ("set by AWS Batch: which attempt this is", "1"),
    "AWS_REGION": ("the region where the list lies", "refused"),
    "IN_BUCKET": ("the bucket where the list lies", "refused"),
    "JSON_LOCATION": ("the key of the list; ending with a slash where the list is in shards", "refused"),
    "OUT_BUCKET": ("the bucket that takes the compressed images", "refused"),
    "OUT_KEY": ("the prefix of their keys; `/` for none", "refused"),
    "DIVIDE_CAMERA_WISE": ("`true`: `left/`, `right/`, `front/` and `others/` by how an image's name ends", "`false`"),
    "OUT_LAYOUT": ("`full`: by bucket and whole key of the source; `basename`: by the last part of it", "`full`"),
    "BATCH_INDEXES": ("of a retry: the key of a JSON list of the batches that its children are for", "none"),
    "BATCH_LIST_ETAG": (
        "the ETag of the list, or of its manifest: the job refuses any other list in its place",
        "any list",
    ),
}
#: Variables of the image service: of its consumer, and of its function.
SERVICE_VARIABLES = {
    "QUEUE_URL": ("the queue that is read, and that messages are sent to", "`ImageQueueTest.fifo` of the account"),
    "LEVEL": ("what the consumer logs: `DEBUG`, `INFO`, `WARNING`, `ERROR` or `CRITICAL`", "`DEBUG`; under PM2 `INFO`"),
    "WORKERS": ("under PM2: how many processes of the consumer work, as its `-w`", "1"),
    "IMAGE_SERVICE_PYTHON": ("under PM2: the Python that runs consumer and scans", "`.venv/bin/python`"),
    "IMAGES_BUCKET": ("the bucket that takes the images", "refused"),
    "IMAGES_PREFIX": ("the folder in it", "`images-resized`"),
    "IMAGES_URL": ("the address under which the bucket is read", "that of the bucket at S3"),
    "IMAGES_SIZES": ("what is made of each image: width and height that it fits into", "`50x50,250X250,800x800`"),
    "IMAGES_FIT": ("`contain`: all of the image in it; `cover`: cut to just that size", "`contain`"),
    "IMAGES_FORMAT": (
        "the format of what is made, such as `WEBP`",
        "that of each image; JPEG or WebP for HEIC, TIFF and BMP",
    ),
    "IMAGES_QUALITY": ("from 1 to 100, for formats that have one", "80"),
    "REDIRECT_QUEUES": ("names of queues that results may go to, `*` allowed", "`*` on the local cloud, else none"),
    "CALLS_TO_UPDATE_LIST_SQS_QUEUES": (
        "after how many calls for messages the known queues are looked up anew; the name in the older program's code, "
        "`NUMBER_CALLS_TO_UPDATE_SQS_QUEUE_LIST`, means the same",
        "100000",
    ),
    "VISIBILITY_TIMEOUT": ("seconds until others get the message of a consumer that died", "60"),
    "MONGO_URL": ("for the scans: server and database, `mongodb+srv://…/<database>`", "the next three count"),
    "DB_ENVIRONMENT": (
        "`PRODUCTION` or `DEVELOP`: whether `MONGO_URL_PRODUCTION` or `MONGO_URL_DEVELOP` counts",
        "as `ENVIRONMENT` says, else `DEVELOP`",
    ),
    "ENVIRONMENT": ("`PRODUCTION` means the same for `DB_ENVIRONMENT`", "none; under PM2 `PRODUCTION`"),
    "SCAN_REDIRECT_QUEUE": ("the queue that the scans let results go to", "`ChannelImages`, `EpisodeImages`"),
    "SCAN_POSTBACK_URL": ("the URL that the scans let results be posted to", "none"),
    "SCAN_BUCKET_NAME": ("the folder that the scans let images go to", "the name of the collection"),
    "AWS_ACCESS_KEY_S3": ("the access key for S3, with its `AWS_SECRET_KEY_S3`", "what boto3 finds"),
    "AWS_ACCESS_KEY_SQS": ("the access key for SQS, with its `AWS_SECRET_KEY_SQS`", "what boto3 finds"),
    "FETCH_ALLOW_NETWORKS": (
        "networks that URLs may lead to beside public addresses: `10.1.0.0/16, fd00::/8`; refused on Lambda",
        "none",
    ),
    "FETCH_ALLOW_PORTS": ("ports beside 80 and 443: `8080, 8443`; refused on Lambda", "none"),
    "POSTBACK_SECRET_KEY": (
        "`postback_secret_key` in the body of postbacks, for receivers of the older service; or `ssm:/name`",
        "not in the body",
    ),
    "POSTBACK_ALLOW_HTTP": ("`1`: postbacks with `postback_secret_key` may go over http, too", "https only"),
    "POSTBACK_SIGNING_SECRETS": (
        "`whsec_…`, the newest first, to sign postbacks with; or `ssm:/name`",
        "one is made, in `.postback_signing_secrets`",
    ),
}


class Undescribed(Exception):
    """A program reads a variable that the tables above do not describe."""


def commands_page() -> str:
    """Every command's help, in the order of the tree; what all of them share is said once."""
    helps = {command: _help(command) for command in _commands()}
    shared = next(block for text in helps.values() for block in _blocks(text) if _is_shared(block))
    sections = (_section(command, text) for command, text in helps.items())
    return COMMANDS.format(note=NOTE, shared=shared, sections="\n".join(sections))


COMMANDS = """{note}
# Commands

Results go to stdout, the story to stderr. Exit codes: 0 done, 1 some items failed, 2 wrong use, 130 interrupted,
143 terminated with work left, 254 AWS or the local cloud was not reached or refused: credentials, rights, network,
limits.

```text
{shared}
```

{sections}"""


def _commands() -> Iterator[tuple[str, ...]]:
    """What follows `python` on the command line."""
    for path in sorted(ROOT.glob("*.py")):
        yield (path.name,)
    for folder in SCRIPT_FOLDERS:
        for path in sorted((ROOT / folder).glob("*.py")):
            if "__name__" in path.read_text(encoding="utf-8"):
                yield (f"{folder}/{path.name}",)
    yield "-m", "imageservice.ports.workers.image_resizing_consumer"
    yield "-m", "scripts.resize_images_from_channel_collection"
    yield "-m", "scripts.resize_images_from_episodes_collection"
    program = "-m", "local_cloud"
    yield program
    for command in re.findall(r"^    (\w+) ", _help(program), re.MULTILINE):
        yield *program, command


def _section(command: tuple[str, ...], text: str) -> str:
    usage, *blocks = _blocks(text)
    usage = SHARED_USAGE.sub("[shared options]", " ".join(usage.split()))
    kept = (HELP_OPTION.sub("", block) for block in blocks if not _is_shared(block))
    body = "\n\n".join(block for block in [usage, *kept] if block != "options:")
    return f"## python {' '.join(command)}\n\n```text\n{body}\n```\n"


SHARED_USAGE = re.compile(r"\[-h\] \[--local \| --aws\] .*?\[--version\]")
HELP_OPTION = re.compile(r"\n  -h, --help .*")


def _blocks(text: str) -> list[str]:
    return [_realigned(block) if OPTION.search(block) else block for block in text.strip().split("\n\n")]


#: An option and its help. The two are on one line or on two, with "-n LINES, --lines LINES" or "-n, --lines LINES",
#: as this or that Python version likes it: the pages must be the same with each.
OPTION = re.compile(r"^  (-.+?)(?:\n? {2,}| *$)(.*(?:\n {6,}.*)*)", re.MULTILINE)
REPEATED_VALUE = re.compile(r"(-\w) (\S+), (--\S+ \2)")


def _realigned(block: str) -> str:
    title = block.partition("\n")[0]
    options = [(REPEATED_VALUE.sub(r"\1, \3", name), " ".join(help.split())) for name, help in OPTION.findall(block)]
    width = max(len(name) for name, _ in options)
    return "\n".join([title, *(f"  {name:{width}}  {help}".rstrip() for name, help in options)])


def _is_shared(block: str) -> bool:
    return block.startswith("shared options:")


def _help(command: tuple[str, ...]) -> str:
    environ = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
    ended = subprocess.run(
        [sys.executable, *command, "--help"], cwd=ROOT, env=environ, capture_output=True, text=True, check=True
    )
    return ended.stdout


def configuration_page() -> str:
    known = FUNCTION_VARIABLES | OWN_VARIABLES | JOB_VARIABLES | SERVICE_VARIABLES
    undescribed = {name for name in _variables_read() if name not in known}
    if undescribed:
        raise Undescribed(f"{', '.join(sorted(undescribed))}: describe them in {Path(__file__).name}")
    own = "".join(f"| `{name}` | {use} | {default} |\n" for name, (use, default) in OWN_VARIABLES.items())
    jobs = "".join(f"| `{name}` | {use} | {default} |\n" for name, (use, default) in JOB_VARIABLES.items())
    service = "".join(f"| `{name}` | {use} | {default} |\n" for name, (use, default) in SERVICE_VARIABLES.items())
    functions = "".join(f"| `{name}` | {FUNCTION_VARIABLES[name]} | {default} |\n" for name, default in _defaults())
    return CONFIGURATION.format(note=NOTE, own=own, functions=functions, jobs=jobs, service=service)


CONFIGURATION = """{note}
# Configuration

Nothing has to be configured to run locally.

## For the commands

Set in the environment or, for the AWS ones, in `.env` (see `.env.sample`), where their names may be in lower case.

| variable | what for | without it |
| --- | --- | --- |
{own}
## For the functions

`setup.py` sets these on the Lambda functions; nobody has to set them by hand.

| variable | what for | without it |
| --- | --- | --- |
{functions}
## For the jobs of AWS Batch

`submit_batch.py` and `run_file_list_locally.py` set these on the jobs that run `bulk/compress_images.py`.

| variable | what for | without it |
| --- | --- | --- |
{jobs}
## For the image service

| variable | what for | without it |
| --- | --- | --- |
{service}"""


def _defaults() -> Iterator[tuple[str, str]]:
    for field in fields(Settings):
        yield field.name.upper(), _as_written(field.default)


def _as_written(default: object) -> str:
    if default is MISSING:
        return "refused"
    if isinstance(default, bool):
        return f"`{str(default).lower()}`"
    text = listed(default) if isinstance(default, tuple) else str(default)
    return f"`{text}`" if text else "none"


def _variables_read() -> set[str]:
    paths = [*ROOT.glob("*.py"), *(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))]
    trees = (ast.parse(path.read_text(encoding="utf-8")) for path in paths)
    return {name for tree in trees for node in ast.walk(tree) for name in _names_read(node)}


def _names_read(node: ast.AST) -> Iterator[str]:
    """Names in `environ["X"]`, `environ.get("X")` and `_number(environ, "X")`."""
    if isinstance(node, ast.Subscript) and _is_environment(node.value) and isinstance(node.ctx, ast.Load):
        yield from _texts([node.slice])
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and _is_environment(node.func.value):
        yield from _texts(node.args[:1])
    elif isinstance(node, ast.Call) and node.args and _is_environment(node.args[0]):
        yield from _texts(node.args[1:2])


def _is_environment(node: ast.expr) -> bool:
    name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
    return name == "environ"


def _texts(nodes: list[ast.expr]) -> Iterator[str]:
    texts = (node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str))
    return (text for text in texts if re.fullmatch("[A-Z][A-Z0-9_]+", text))


def main() -> int:
    parser = argparse.ArgumentParser(
        description=f"{__doc__}",
        epilog="examples:\n  python docs/generate.py\n  python docs/generate.py --check",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 and name the pages that are old")
    arguments = parser.parse_args()
    pages = {
        "commands.md": commands_page(),
        "configuration.md": configuration_page(),
        "reliability.md": with_figures((DOCS / "reliability.md").read_text(encoding="utf-8"), DOCS / "results"),
    }
    old = [name for name, text in pages.items() if not _is_written(DOCS / name, text)]
    for name in old:
        if not arguments.check:
            (DOCS / name).write_text(pages[name], encoding="utf-8")
        print(f"docs/{name} {'is old: run `make docs`' if arguments.check else 'written'}")
    return 1 if old and arguments.check else 0


def _is_written(path: Path, text: str) -> bool:
    return path.exists() and path.read_text(encoding="utf-8") == text


if __name__ == "__main__":
    sys.exit(main())
