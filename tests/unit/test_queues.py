from pipeline.queues import first_id, retry_delay


def test_a_message_keeps_its_first_id_through_every_redrive():
    assert first_id("now", None) == "now"
    assert first_id("now", "at first") == "at first"
    # As it was marked by an older version.
    assert first_id("now", "true") == "now"


def test_what_the_other_side_asked_for_is_kept_up_to_a_quarter_of_an_hour():
    assert retry_delay(1, 30.0) == 30
    assert retry_delay(1, 3600.0) == 900
    assert [retry_delay(n, 0.0, jitter=lambda: 0) for n in (1, 2, 3, 4)] == [10, 20, 40, 80]


def test_the_delay_doubles_with_every_delivery_and_spreads():
    assert [retry_delay(n, None, jitter=lambda: 0) for n in (1, 2, 3, 4)] == [10, 20, 40, 80]
    assert retry_delay(1, None, jitter=lambda: 1) == 15
    assert retry_delay(30, None) == 900


def test_no_count_of_deliveries_and_no_wait_is_too_great():
    assert retry_delay(1024, None) == retry_delay(10**9, None) == 900
    assert retry_delay(1, float("inf")) == 900
