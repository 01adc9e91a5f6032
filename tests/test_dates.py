"""Dates: a day stays a day, a time keeps its offset, and anything else is named in an error."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.dates import first_moment, last_moment, normalise_date, utc_day
from index.errors import DateError

PARIS = timezone(timedelta(hours=2))
offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
normalised = st.dates().map(date.isoformat) | st.datetimes(timezones=offsets).map(datetime.isoformat)

NORMALISED = [
    ("2025-09-04", "2025-09-04"),
    (" 2025-09-04\n", "2025-09-04"),
    ("20250904", "2025-09-04"),
    ("2025-09-04T18:30:00+02:00", "2025-09-04T18:30:00+02:00"),
    ("2025-09-04 18:30:00+02:00", "2025-09-04T18:30:00+02:00"),
    ("2025-09-04T18:30:00Z", "2025-09-04T18:30:00+00:00"),
    ("2025-09-04T18:30", "2025-09-04T18:30:00+00:00"),
    ("0001-01-01", "0001-01-01"),
    ("9999-12-31", "9999-12-31"),
    (date(2025, 9, 4), "2025-09-04"),
    (datetime(2025, 9, 4, 18, 30, tzinfo=PARIS), "2025-09-04T18:30:00+02:00"),
    (datetime(2025, 9, 4, 18, 30), "2025-09-04T18:30:00+00:00"),  # noqa: DTZ001 - as YAML gives it
]


@pytest.mark.parametrize(("value", "expected"), NORMALISED)
def test_a_date_is_written_in_one_way(value: object, expected: str) -> None:
    assert normalise_date(value, where="`published`") == expected


@given(normalised)
def test_normalising_twice_changes_nothing_more(value: str) -> None:
    assert normalise_date(value, where="`published`") == value


@pytest.mark.parametrize(
    "value",
    ["", "1st May", "2025-13-01", "2025-02-30", "2025", "2025-9-4", "04.09.2025", "yesterday", "0000-01-01",
     "1756999800", "2025-09-04T25:00", "2025-09-04T18:30:00+25:00", 5, None, True, ["2025-09-04"], "\ud800"],
)  # fmt: skip
def test_what_is_no_date_is_an_error(value: object) -> None:
    with pytest.raises(DateError):
        normalise_date(value, where="`published`")


def test_the_error_says_where_and_what_and_what_to_do() -> None:
    with pytest.raises(DateError) as caught:
        normalise_date("1st May", where="seeds/a.jsonl:12: `published`")
    assert str(caught.value) == (
        "seeds/a.jsonl:12: `published` '1st May' is not a date; write 2024-05-01 or 2024-05-01T09:30:00+02:00"
    )


def test_the_error_shows_a_long_value_in_short() -> None:
    with pytest.raises(DateError) as caught:
        normalise_date("x" * 1_000_000, where="`published`")
    assert len(str(caught.value)) < 200


MOMENTS = [
    ("2025-09-04", datetime(2025, 9, 4, tzinfo=UTC), datetime(2025, 9, 4, 23, 59, 59, 999_999, tzinfo=UTC)),
    ("2025-09-04T01:30:00+02:00", datetime(2025, 9, 3, 23, 30, tzinfo=UTC), datetime(2025, 9, 3, 23, 30, tzinfo=UTC)),
    ("0001-01-01T00:00:00+05:00", datetime(1, 1, 1, tzinfo=UTC), datetime(1, 1, 1, tzinfo=UTC)),
    ("9999-12-31T23:00:00-05:00", datetime(9999, 12, 31, 23, tzinfo=UTC), datetime(9999, 12, 31, 23, tzinfo=UTC)),
]


@pytest.mark.parametrize(("value", "first", "last"), MOMENTS)
def test_a_date_stands_for_its_whole_span_in_utc(value: str, first: datetime, last: datetime) -> None:
    assert (first_moment(value), last_moment(value)) == (first, last)


@given(normalised)
def test_a_date_begins_before_it_ends(value: str) -> None:
    assert first_moment(value) <= last_moment(value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [("2025-09-04", date(2025, 9, 4)), ("2025-09-04T01:30:00+02:00", date(2025, 9, 3))],
)
def test_a_date_falls_on_a_day_in_utc(value: str, expected: date) -> None:
    assert utc_day(value) == expected
