"""Days and times as the exchange counts them."""

import datetime as dt


def seconds(time):
    """Of a time of day `HH:MM:SS`, since midnight."""
    hours, minutes, rest = time.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + int(rest)


def is_session(day, calendar):
    return dt.date.fromisoformat(day).weekday() < 5 and day not in calendar["holidays"]


def session_after(day, count, calendar):
    """The day that lies `count` sessions after `day`."""
    date = dt.date.fromisoformat(day)
    while count > 0:
        date += dt.timedelta(days=1)
        count -= is_session(date.isoformat(), calendar)
    return date.isoformat()
