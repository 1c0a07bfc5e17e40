"""The command behind its flags: from the target and the list to a closed journal and its totals."""

from __future__ import annotations

import argparse
import hashlib
import io
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any

from bulk.compress import progress, report
from bulk.compress.backup import Backup
from bulk.compress.cluster import workers
from bulk.compress.journal import Journal, path_of
from bulk.compress.log import Log
from bulk.compress.options import Options
from bulk.compress.outcome import UNFINISHED, Outcome
from bulk.compress.remote import require_trusted
from bulk.compress.run import Run
from bulk.compress.way_back import way_back
from bulk.compress.work import Order, Place
from bulk.csv_rows import open_list, read_rows
from bulk.memory_gate import machine_cores
from cli import console
from cli.arguments import Choice
from cli.connection import connect


def run(arguments: argparse.Namespace, environ: Mapping[str, str]) -> dict[str, Any]:
    """Do what the flags say, print the closing table, and return its figures."""
    if arguments.scheduler:
        require_trusted(arguments.scheduler, trusted=arguments.trust_scheduler)
    if arguments.report:
        report.require_writable(arguments.report)
    order = _order(arguments, environ)
    with (
        open_list(arguments.csv_path) as file,
        closing(Log(arguments.log_dir)) as log,
        closing(_journal(arguments, order, file)) as journal,
    ):
        console.say(f"Log: {log.path}")
        log.say(f"Start of processing: {arguments.csv_path}, bucket {order.bucket}, {order.options.mark}")
        try:
            _compress(arguments, order, file, log, journal)
        finally:
            found = report.totals(journal)
            log.say(f"End of processing: {_in_words(found)}")
        if arguments.report:
            report.write_report(journal, arguments.report)
            console.say(f"Report: {arguments.report}")
        with console.heard_or_not():
            report.print_totals(found, as_json=arguments.json)
    return found


def _order(arguments: argparse.Namespace, environ: Mapping[str, str]) -> Order:
    """Reaches the bucket, and refuses to begin without a way back."""
    bucket = arguments.bucket_name
    with connect(Choice.from_arguments(arguments), environ=environ) as connection:
        target = connection.target
        console.say(f"In the bucket {bucket} on {target.description}")
        back = way_back(
            connection.aws.s3, bucket, _backup(arguments), none_wanted=arguments.no_backup or arguments.dry_run
        )
        place = Place(
            region=target.region,
            endpoint_url=target.endpoint_url,
            profile=target.profile,
            home=str(connection.home),
        )
    console.say("Way back: none needed, nothing is replaced" if arguments.dry_run else f"Way back: {back.words}")
    temp_dir = str(arguments.temp_dir.resolve())
    return Order(
        place=place,
        bucket=bucket,
        temp_dir=temp_dir,
        options=_options(arguments),
        backup=back.backup,
        dry_run=arguments.dry_run,
    )


def _options(arguments: argparse.Namespace) -> Options:
    return Options(
        quality=arguments.perc_compression_quality,
        max_pixels=arguments.max_image_pixels,
        min_savings=arguments.min_savings,
        formats=arguments.formats,
        png_colors=arguments.png_colors,
        strip_metadata=arguments.strip_metadata,
        ignore_trunc=arguments.ignore_trunc,
    )


def _backup(arguments: argparse.Namespace) -> Backup | None:
    if not (arguments.backup_bucket or arguments.backup_prefix):
        return None
    return Backup(arguments.backup_bucket or arguments.bucket_name, arguments.backup_prefix)


def _journal(arguments: argparse.Namespace, order: Order, file: io.BufferedReader) -> Journal:
    """The journal of this command: of a list with this content, this bucket and these options."""
    file.seek(0)
    content = hashlib.file_digest(file, "sha256").hexdigest()
    address = order.place.endpoint_url or "AWS"
    identity = (address, order.bucket, content, repr(order.options), str(order.dry_run))
    return Journal(path_of(arguments.log_dir, *identity))


def _compress(arguments: argparse.Namespace, order: Order, file: io.BufferedReader, log: Log, journal: Journal) -> None:
    total, already = _so_far(arguments, file, journal)
    if already:
        console.say(f"{already:,} images were done by a run that did not come to its end; it goes on behind them")
    with _workers(arguments, order) as compress, progress.shown(total, already) as tell:
        made = Run(journal, log, compress, tell)
        if arguments.retry_failed:
            made.failed()
            return
        file.seek(0)
        # The rows end before the file does: what reads them may have stopped anywhere.
        with closing(read_rows(file, order.bucket)) as rows:
            made.all(order.backup.without_copies(rows, order.bucket) if order.backup else rows)


def _so_far(arguments: argparse.Namespace, file: io.BufferedReader, journal: Journal) -> tuple[int, int]:
    """How many images there are to be done, and how many of them a run that was stopped has done."""
    if arguments.retry_failed:
        return journal.count(Outcome.FAILED), 0
    already = 0 if journal.is_finished else journal.count() - journal.count(*UNFINISHED)
    return progress.lines_in(file), already


@contextmanager
def _workers(arguments: argparse.Namespace, order: Order) -> Iterator[Any]:
    count = arguments.workers or machine_cores()
    with workers(order, count=count, scheduler=arguments.scheduler) as compress:
        yield compress


def _in_words(found: Mapping[str, Any]) -> str:
    groups = (f"{group['images']} {group['outcome']} {group['code']}".strip() for group in found["groups"])
    return f"{found['images']} images ({', '.join(groups)}), {console.byte_size(found['bytes_saved'])} saved"
