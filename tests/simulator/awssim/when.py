"""Times and durations as a scenario file writes them."""

import datetime
import itertools
import re

UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}


def duration(value):
    """Seconds from `90`, `90s`, `1h30m`, `-5m`."""
    if isinstance(value, (int, float)):
        return value
    text = str(value).strip()
    sign = -1 if text.startswith("-") else 1
    text = text.lstrip("+-")
    if re.fullmatch(r"\d+(\.\d+)?", text):
        return sign * float(text)
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|[smhdw])", text)
    if not parts or "".join(a + b for a, b in parts) != text:
        raise ValueError(f"`{value}` is no duration (90, 90s, 1h30m)")
    return sign * sum(float(number) * UNITS[unit] for number, unit in parts)


def instant(value, start):
    """Epoch seconds from ISO 8601, `YYYY-MM-DD hh:mm:ss` (both UTC), epoch seconds, or a duration from `start`."""
    if isinstance(value, datetime.datetime):
        return (value if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc)).timestamp()
    if isinstance(value, (int, float)):
        return value if abs(value) > 100_000_000 else start + value  # before 1973 can only be a distance
    text = str(value).strip()
    try:
        parsed = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return start + duration(text)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=datetime.timezone.utc)).timestamp()


def iso(seconds):
    stamp = datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc)
    return stamp.strftime("%Y-%m-%dT%H:%M:%SZ")


def compact(seconds):
    """As X-Amz-Date writes it."""
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")


def parse_compact(text):
    parsed = datetime.datetime.strptime(text, "%Y%m%dT%H%M%SZ")
    return parsed.replace(tzinfo=datetime.timezone.utc).timestamp()


STAMPS = re.compile(r'"((?:Start|End|Event|Approximate|LastUpdate|MatchedEvent)Time|Timestamp)":(\d{2,}(?:\.\d+)?)(?=[,}])')


def mixed_times(text):
    """JSON text whose times take turns in the forms that AWS writes: 1767323045, 1767323045.0 and 1.767323045E9."""
    turn = itertools.count()

    def write(match):
        name, number = match.groups()
        whole, _, part = number.partition(".")
        digits = (whole + part).rstrip("0")
        form = next(turn) % 3
        if form == 0 and not part.strip("0"):
            number = whole
        elif form == 1:
            number = f"{whole}.{part or '0'}"
        elif form == 2:
            number = f"{digits[0]}.{digits[1:] or '0'}E{len(whole) - 1}"
        return f'"{name}":{number}'
    return STAMPS.sub(write, text)
