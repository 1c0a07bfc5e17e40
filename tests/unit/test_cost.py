import json
from decimal import Decimal

import pytest

from cli.cost import PRICES, Estimate, Line, backfill_estimate, dollars, estimate
from cli.status_command import main
from cli.variant_cost import Added, added
from pipeline.images.variants import Variants


def amount(found: Estimate, what: str) -> Decimal:
    return next(line.dollars for line in found.lines if line.what == what)


def test_a_million_images_cost_what_can_be_worked_out_by_hand():
    found = estimate(1_000_000, Decimal(4))

    assert amount(found, "S3 writing") == Decimal("15.00")
    assert amount(found, "Originals") == Decimal("92.00")
    # 20 ms for each of 12 megapixels and 150 ms of waiting, at 1.75 GB; and a call.
    assert amount(found, "Function") == Decimal("0.2") + 390_000 * Decimal("1.75") * Decimal("0.0000133334")
    assert found.total == sum(line.dollars for line in found.lines)


def test_nothing_but_asking_the_queue_costs_money_when_nothing_happens():
    nothing = estimate(0, Decimal(4))

    assert {line.what for line in nothing.lines if line.dollars} == {"Queue, idle"}
    assert nothing.total == nothing.idle < Decimal("0.30")


def test_twice_as_many_images_cost_twice_as_much_but_for_the_idle_queue():
    one, two = estimate(1000, Decimal(3)), estimate(2000, Decimal(3))

    assert two.total - two.idle == 2 * (one.total - one.idle)


def test_what_is_saved_is_the_storage_of_what_compressing_takes_away():
    assert estimate(1000, Decimal(10)).saved == Decimal("5.2") * PRICES["S3 storage, GB-month"]


BOTH = Variants(("WEBP", "AVIF"), (320, 640, 1280))


def test_variants_add_requests_time_storage_and_table_that_can_be_worked_out_by_hand():
    plain, found = estimate(1_000_000, Decimal(4)), estimate(1_000_000, Decimal(4), BOTH)

    # Six outputs more, and three sizes of 4:3 in two formats.
    assert amount(found, "S3 writing") - amount(plain, "S3 writing") == Decimal("30.00")
    megapixels = Decimal("0.0768") + Decimal("0.3072") + Decimal("1.2288")
    ms = 12 * 14 + megapixels * (90 + 70) + 6 * 25
    assert amount(found, "Function") - amount(plain, "Function") == ms * 1000 * Decimal("1.75") * Decimal(
        "0.0000133334"
    )
    gigabytes = 1000 * megapixels * Decimal("0.25")
    assert amount(found, "Outputs") - amount(plain, "Outputs") == gigabytes * PRICES["S3 storage, GB-month"]
    assert amount(found, "Table, requests") > amount(plain, "Table, requests")
    assert found.saved == plain.saved


def test_an_image_that_is_narrower_than_the_widths_has_fewer_variants():
    tiny = added(BOTH, Decimal("0.12"))

    assert tiny.outputs == 4 and added(Variants(), Decimal(12)) == Added()


def test_a_backfill_with_variants_costs_more_than_one_without():
    plain = backfill_estimate(1000, Decimal(4000), 1000)

    assert backfill_estimate(1000, Decimal(4000), 1000, BOTH).total > plain.total


def test_the_command_reckons_with_variants(capsys):
    assert main(["--cost", "--images", "1000000", "--variant-formats", "webp,avif"]) == 0

    assert "6 variants" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("value", "text"),
    [("0", "$0.00"), ("0.001", "<$0.01"), ("0.005", "$0.01"), ("1.234", "$1.23"), ("12345.678", "$12,345.68")],
)
def test_amounts_are_dollars_and_cents(value, text):
    assert dollars(Decimal(value)) == text


def test_the_command_prints_every_line_and_asks_no_cloud(capsys):
    assert main(["--cost", "--images", "1000000", "--size-mb", "4"]) == 0

    printed = capsys.readouterr().out
    found = estimate(1_000_000, Decimal(4))
    for line in (*found.lines, Line("Total", "", found.total)):
        assert line.what in printed and dollars(line.dollars) in printed


def test_the_same_as_json(capsys):
    assert main(["--cost", "--json", "--images", "10", "--size-mb", "2.5"]) == 0

    facts = json.loads(capsys.readouterr().out)
    assert facts["total"] == pytest.approx(sum(facts["lines"].values()), abs=0.001)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--cost", "--images", "0"],
        ["--cost", "--images", "many"],
        ["--cost", "--size-mb", "51"],
        ["--cost", "--size-mb", "NaN"],
        ["--images", "5"],
        ["--cost", "--watch"],
        ["--variant-formats", "webp"],
        ["--cost", "--variant-widths", "320"],
        ["--cost", "--variant-formats", "jpeg"],
    ],
)
def test_what_makes_no_sense_is_refused(arguments, capsys):
    with pytest.raises(SystemExit) as refused:
        main(arguments)

    assert refused.value.code == 2 and "error:" in capsys.readouterr().err
