"""Dates of articles: a day, or a time with its offset, exactly as the article gives it.

A day such as ``2025-09-04`` stays a day. It is never turned into midnight, because nobody said midnight.
To compare moments, a day stands for its whole span in UTC: see `first_moment` and `last_moment`.
"""

from datetime import UTC, date, datetime, time

from index.errors import DateError

__all__ = ["first_moment", "last_moment", "normalise_date", "utc_day"]

_CURE = "write 2024-05-01 or 2024-05-01T09:30:00+02:00"


def normalise_date(value: object, *, where: str) -> str:
    """Return the ISO 8601 form of a day or a time; a time without an offset is taken as UTC.

    `where` names the place in the message of the `DateError` that is raised for anything else.

    >>> normalise_date("2025-09-04", where="`--since`")
    '2025-09-04'
    >>> normalise_date("2025-09-04T18:30", where="a.json: `published`")
    '2025-09-04T18:30:00+00:00'
    """
    if isinstance(value, datetime):
        return _with_offset(value).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    text = str(value).strip()
    try:
        if len(text) <= len("2024-05-01"):
            return date.fromisoformat(text).isoformat()
        return _with_offset(datetime.fromisoformat(text)).isoformat()
    except ValueError as error:
        raise DateError(f"{where} {text[:80]!r} is not a date; {_CURE}") from error


def first_moment(value: str) -> datetime:
    """Return the first moment in UTC that a normalised date can mean."""
    if _is_day(value):
        return datetime.combine(date.fromisoformat(value), time.min, tzinfo=UTC)
    return _to_utc(datetime.fromisoformat(value))


def last_moment(value: str) -> datetime:
    """Return the last moment in UTC that a normalised date can mean."""
    if _is_day(value):
        return datetime.combine(date.fromisoformat(value), time.max, tzinfo=UTC)
    return _to_utc(datetime.fromisoformat(value))


def utc_day(value: str) -> date:
    """Return the day in UTC on which a normalised date falls."""
    return first_moment(value).date()


def _is_day(value: str) -> bool:
    return len(value) == len("2024-05-01")


def _with_offset(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _to_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # year 1 or 9999 with an offset that leaves the calendar
        return moment.replace(tzinfo=UTC)
