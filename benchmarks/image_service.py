"""Measures the image service: messages per second, and its download and resizing beside those of img2dataset."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import argparse
import json
import multiprocessing
import os
import random
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from io import BytesIO
from ipaddress import ip_network
from multiprocessing.util import Finalize
from typing import Any

from PIL import Image

from benchmarks.local_cloud import children_cpu, command, cpu_seconds, surroundings
from cli.exits import Exit, run
from pipeline.clients import make_client
from pipeline.images.isolate import transform_isolated
from pipeline.images.nursery import Nursery
from pipeline.images.options import ImageOptions, OutputOptions
from pipeline.images.transform import transform
from pipeline.web.guard import Guard
from pipeline.web.outbound import Outbound
from pipeline.web.sources import Fetcher

EXAMPLES = """\
examples:
  python benchmarks/image_service.py
  python benchmarks/image_service.py --messages 2000 --workers 8 --json
  python -m venv /tmp/peer && /tmp/peer/bin/pip install img2dataset
  python benchmarks/image_service.py --img2dataset /tmp/peer/bin/python
"""
ROOT = Path(__file__).resolve().parent.parent
PICTURES = 20
SIZES = {"50x50": (50, 50), "250X250": (250, 250), "800x800": (800, 800)}
#: Sent ahead, so that processes are up and modules are loaded.
WARM_UP = 40
PEER = """
import sys
from img2dataset import download
download(
    url_list=sys.argv[1], output_folder=sys.argv[2], image_size=250, resize_mode="keep_ratio_largest",
    resize_only_if_bigger=True, encode_quality=80, output_format="files", processes_count=int(sys.argv[3]),
    thread_count=int(sys.argv[4]), number_sample_per_shard=int(sys.argv[5]), extract_exif=False,
)
"""


def main() -> Exit:
    parser = argparse.ArgumentParser(
        description=__doc__, epilog=EXAMPLES, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--messages", type=int, default=600, help="how many (default: 600)")
    parser.add_argument("--workers", type=int, default=8, metavar="N", help="processes that work (default: 8)")
    parser.add_argument("--repeat", type=int, default=3, metavar="N", help="rounds of which the median counts")
    parser.add_argument("--img2dataset", metavar="PYTHON", help="a Python that has img2dataset: measure it as well")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    arguments = parser.parse_args()
    measured = measure(arguments)
    print(json.dumps(measured) if arguments.json else table(measured))
    return Exit.DONE


def table(measured: dict[str, Any]) -> str:
    return "\n".join(f"{name.replace('_', ' '):<44} {value:>10}" for name, value in measured.items())


def measure(arguments: argparse.Namespace) -> dict[str, Any]:
    with tempfile.TemporaryDirectory(prefix="image-pipeline-") as folder:
        here = Path(folder)
        size = write_pictures(here / "pictures")
        with origin(here / "pictures") as (port, posted):
            urls = [f"http://127.0.0.1:{port}/{number}.jpg" for number in range(arguments.messages)]
            rates = parts(arguments, urls, port, here)
            rates |= messages(arguments, urls, port, here, posted)
    busy = {"cores": os.cpu_count() or 1, "load_average": round(os.getloadavg()[1], 1)}
    return {"bytes_each": size, "messages": arguments.messages, "workers": arguments.workers, **busy, **rates}


def write_pictures(folder: Path) -> int:
    """Different photo-like JPEGs of about 100 kB; returns the mean size in bytes."""
    folder.mkdir()
    rng, total = random.Random(PICTURES), 0
    for index in range(PICTURES):
        soft = Image.effect_noise((40, 30), 90).resize((1024, 768), Image.Resampling.BICUBIC)
        planes = [Image.blend(soft, Image.effect_noise((1024, 768), 22), 0.15 + 0.05 * rng.random()) for _ in "RGB"]
        file = BytesIO()
        Image.merge("RGB", planes).save(file, "JPEG", quality=80)
        total += (folder / f"{index:02}.jpg").write_bytes(file.getvalue())
    return total // PICTURES


@contextmanager
def origin(pictures: Path) -> Iterator[tuple[int, Callable[[int], None]]]:
    """A web server: its port, and what waits until it has had so many more POSTs."""
    server = subprocess.Popen(
        [sys.executable, str(ROOT / "benchmarks" / "origin.py"), str(pictures)], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout
    lines = server.stdout

    def posted(number: int) -> None:
        for _ in range(number):
            lines.readline()

    try:
        yield int(lines.readline()), posted
    finally:
        server.kill()
        server.wait()


def parts(arguments: argparse.Namespace, urls: list[str], port: int, here: Path) -> dict[str, float]:
    """Download and resizing alone: images per second and CPU per image, without what it takes to start.

    The programs take turns, and the median of each counts.
    """
    one = {"250X250": SIZES["250X250"]}
    ways: dict[str, Callable[[list[str], Path], None]] = {
        "three_sizes": partial(ours, port, arguments.workers, SIZES, True),
        "one_size": partial(ours, port, arguments.workers, one, True),
        "one_size_in_the_same_process": partial(ours, port, os.cpu_count() or 1, one, False),
    }
    if arguments.img2dataset:
        ways["img2dataset_one_size"] = partial(peer, arguments.img2dataset, arguments.workers)
    used: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    for turn in range(arguments.repeat):
        for name, way in ways.items():
            few = spent(way, urls[:WARM_UP], here / f"{name}-{turn}-few")
            all_of_them = spent(way, urls, here / f"{name}-{turn}")
            number = len(urls) - WARM_UP
            seconds, cpu = ((after - before) / number for before, after in zip(few, all_of_them, strict=True))
            used[name].append((seconds, cpu))
            print(f"{name}: {1 / seconds:.1f}/s, {cpu * 1000:.1f} ms of CPU each", file=sys.stderr)
    return {key: value for name, each in used.items() for key, value in summary(name, each).items()}


def summary(name: str, each: list[tuple[float, float]]) -> dict[str, float]:
    seconds, cpu = (statistics.median(values) for values in zip(*each, strict=True))
    return {f"{name}_per_second": round(1 / seconds, 1), f"{name}_cpu_ms": round(cpu * 1000, 1)}


def spent(way: Callable[[list[str], Path], None], urls: list[str], folder: Path) -> tuple[float, float]:
    """Seconds by the clock, and of CPU in all the processes that it took."""
    clock, cpu = time.perf_counter(), children_cpu()
    way(urls, folder)
    return time.perf_counter() - clock, children_cpu() - cpu


def ours(
    port: int, workers: int, sizes: dict[str, tuple[int, int]], apart: bool, urls: list[str], folder: Path
) -> None:
    """As the service does it, the results go to files. `apart`: with a process for each image."""
    folder.mkdir()
    pool = multiprocessing.Pool(workers, _prepare, (port, sizes, apart, folder))
    made = sum(pool.imap_unordered(_make, urls, chunksize=4))
    pool.close()
    pool.join()
    assert made == len(urls) * len(sizes)


def _prepare(port: int, sizes: dict[str, tuple[int, int]], apart: bool, folder: Path) -> None:
    global _fetcher, _transform, _folder
    guard = Guard(networks=[ip_network("127.0.0.0/8")], ports=frozenset([port]))
    options = ImageOptions(outputs=tuple((name, OutputOptions(fit=size, quality=80)) for name, size in sizes.items()))
    _fetcher, _folder = Fetcher(Outbound(guard)), folder
    nursery = Nursery()
    _transform = partial(transform_isolated, start=nursery.start) if apart else transform
    _transform = partial(_transform, options=options)
    # So that what its processes used counts as used by this one.
    Finalize(None, nursery.close, exitpriority=1)


_fetcher: Fetcher
_transform: Callable[[bytes], Any]
_folder: Path


def _make(url: str) -> int:
    made = _transform(_fetcher.fetch(url).data)
    for output in made.outputs:
        (_folder / f"{url.rpartition('/')[2]}_{output.name}.jpeg").write_bytes(output.data)
    return len(made.outputs)


def peer(python: str, workers: int, urls: list[str], folder: Path) -> None:
    """img2dataset in as many processes as there are cores, each with its part of the list and as many threads."""
    cores = os.cpu_count() or 1
    folder.mkdir()
    (folder / "urls.txt").write_text("\n".join(urls))
    numbers = [str(cores), str(workers), str(-(-len(urls) // cores))]
    environ = {**os.environ, "NO_ALBUMENTATIONS_UPDATE": "1"}
    subprocess.run(
        [python, "-c", PEER, str(folder / "urls.txt"), str(folder / "made"), *numbers],
        env=environ, check=True, capture_output=True,
    )  # fmt: skip
    assert len(list((folder / "made").rglob("*.jpg"))) == len(urls)


def messages(
    arguments: argparse.Namespace, urls: list[str], port: int, here: Path, posted: Callable[[int], None]
) -> dict[str, float]:
    """From the queue to the postback, three sizes in the bucket, on a local cloud of its own."""
    environ = surroundings(here / "home")
    try:
        command(environ, "-m", "local_cloud", "start")
        server = int(json.loads(command(environ, "-m", "local_cloud", "status", "--json"))["pid"])
        endpoint = f"http://127.0.0.1:{environ['LOCAL_CLOUD_PORT']}"
        queue_url = prepared(endpoint)
        told = consumer_environment(environ, queue_url, port)
        runs = []
        for turn in range(arguments.repeat):
            send(endpoint, queue_url, urls[:1] * WARM_UP + urls, str(turn))
            runs.append(one_run(arguments.workers, told, len(urls), posted, server))
            print(
                "messages: {:.1f}/s, {:.1f} ms of CPU each, and {:.1f} in the local cloud".format(*runs[-1]),
                file=sys.stderr,
            )
    finally:
        command(environ, "-m", "local_cloud", "stop")
    names = ("messages_per_second", "messages_cpu_ms", "messages_local_cloud_cpu_ms")
    return {
        name: round(statistics.median(values), 1) for name, values in zip(names, zip(*runs, strict=True), strict=True)
    }


def prepared(endpoint: str) -> str:
    s3 = make_client(_keys(), "s3", endpoint_url=endpoint, region="us-east-1")
    sqs = make_client(_keys(), "sqs", endpoint_url=endpoint, region="us-east-1")
    s3.create_bucket(Bucket="images-bench")
    return sqs.create_queue(QueueName="ImageQueue.fifo", Attributes={"FifoQueue": "true"})["QueueUrl"]


def _keys() -> Any:
    from boto3.session import Session

    return Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")


def consumer_environment(environ: dict[str, str], queue_url: str, port: int) -> dict[str, str]:
    return environ | {
        "QUEUE_URL": queue_url,
        "IMAGES_BUCKET": "images-bench",
        "LEVEL": "WARNING",
        "FETCH_ALLOW_NETWORKS": "127.0.0.0/8",
        "FETCH_ALLOW_PORTS": str(port),
    }


def one_run(
    workers: int, environ: dict[str, str], number: int, posted: Callable[[int], None], server: int
) -> tuple[float, float, float]:
    """From the first message after the warm-up to the last postback; all messages wait in the queue by then.

    Messages per second, and milliseconds of CPU for each: of the consumer, and of the local cloud.
    """
    module = "imageservice.ports.workers.image_resizing_consumer"
    consumer = subprocess.Popen([sys.executable, "-m", module, "-w", str(workers)], cwd=ROOT, env=environ)
    try:
        posted(WARM_UP)
        began, before = time.perf_counter(), family_cpu(consumer.pid, server)
        posted(number)
        seconds, after = time.perf_counter() - began, family_cpu(consumer.pid, server)
        own, cloud = (1000 * (late - early) / number for early, late in zip(before, after, strict=True))
        return number / seconds, own, cloud
    finally:
        consumer.send_signal(signal.SIGTERM)
        consumer.wait()


def family_cpu(consumer: int, server: int) -> tuple[float, float]:
    return sum(cpu_seconds(consumer).values()), sum(cpu_seconds(server).values())


def send(endpoint: str, queue_url: str, urls: list[str], turn: str) -> None:
    """Each with a group of its own: messages of one group wait for one another."""
    sqs = make_client(_keys(), "sqs", endpoint_url=endpoint, region="us-east-1")
    for start in range(0, len(urls), 10):
        entries = []
        for number, url in enumerate(urls[start : start + 10], start):
            hook = f"{url.rpartition('/')[0]}/hook"
            body = {"image_url": url, "bucket_name": "channel", "postback_url": hook, "number": number}
            entry_id = f"{turn}-{number}"
            entries.append(
                {
                    "Id": entry_id,
                    "MessageBody": json.dumps(body),
                    "MessageGroupId": entry_id,
                    "MessageDeduplicationId": entry_id,
                }
            )
        sqs.send_message_batch(QueueUrl=queue_url, Entries=entries)  # type: ignore[arg-type]


if __name__ == "__main__":
    sys.exit(run(main))
