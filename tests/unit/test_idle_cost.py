from decimal import Decimal

from setup_scripts.idle_cost import idle_lines, idle_note


def total(resources):
    return sum((line.dollars for line in idle_lines(resources)), Decimal(0))


def test_what_costs_while_nothing_happens_is_named_with_its_price():
    note = idle_note({})

    assert "$0.26 for Lambda asking for messages" in note
    assert "$0.80 for 8 alarms" in note and "$3.00 for a dashboard" in note
    assert "free" in note


def test_without_alarms_almost_nothing_is_left():
    assert [line.what for line in idle_lines({"alarms": "off"})] == ["Lambda asking for messages"]
    assert total({"alarms": "off"}) < Decimal("0.30")


def test_what_is_added_is_named_too():
    added = idle_note({"snapstart": "on", "image-service": "wanted"})

    assert "$0.52 for Lambda asking for messages" in added
    assert "$1.20 for 12 alarms" in added
    assert "$1.95 for a snapshot" in added
