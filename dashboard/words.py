"""Numbers and times as people read them: three significant digits, a unit, nothing else."""

from datetime import UTC, datetime, tzinfo

NS = 1_000_000_000
NOT_KNOWN = "–"
MINUS = "−"


def duration(ns: int | None) -> str:
    """A length of time, `–` where it is not known."""
    if ns is None:
        return NOT_KNOWN
    for unit, size, limit in (("ns", 1, 1_000), ("µs", 1_000, 999_500), ("ms", 1_000_000, 999_500_000)):
        if ns < limit:
            return f"{ns} ns" if size == 1 else f"{_three(ns / size)} {unit}"
    seconds, minutes = round(ns / NS), round(ns / NS / 60)
    if ns < 59.95 * NS:
        return f"{_three(ns / NS)} s"
    if seconds < 3_600:
        return f"{seconds // 60} m {seconds % 60:02d} s"
    return f"{minutes // 60} h {minutes % 60:02d} m" if minutes < 48 * 60 else f"{_three(ns / NS / 86_400)} d"


def count(number: float | None) -> str:
    """How many: in full up to 99,999, then with k or M."""
    if number is None:
        return NOT_KNOWN
    if number < 100_000:
        return f"{number:,.0f}"
    return f"{_three(number / 1e3)} k" if number < 999_500 else f"{_three(number / 1e6)} M"


def rate(number: float) -> str:
    """How many a minute."""
    return count(number) if number >= 100 else f"{number:.3g}"


def share(part: int, whole: int) -> str:
    """A fraction in percent, `–` of nothing."""
    if whole == 0:
        return NOT_KNOWN
    percent = 100 * part / whole
    if part and percent < 0.1:
        return "< 0.1 %"
    if part < whole and percent > 99.9:
        return "> 99.9 %"
    return f"{percent:.0f} %" if percent in (0, 100) else f"{percent:.1f} %"


def signed(number: float, digits: int = 1) -> str:
    """A change with its sign, a minus as wide as a plus; what rounds to nothing has both."""
    text = f"{abs(number):.{digits}f}"
    if float(text) == 0:
        return f"± {text}"
    return ("+" if number > 0 else MINUS) + text


def money(usd: float | None) -> str:
    """An amount in US dollars."""
    if usd is None:
        return NOT_KNOWN
    if usd == 0:
        return "$0"
    if usd < 0.0001:
        return "< $0.0001"
    return f"${usd:.4f}" if usd < 0.01 else f"${usd:,.2f}"


def plural(number: int, one: str, many: str | None = None) -> str:
    """`1 run`, `3,210 runs`."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def ago(ns: int, now_ns: int) -> str:
    """How long ago, in one unit."""
    seconds = max(0, now_ns - ns) / NS
    for unit, step in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * step or (unit == "min" and seconds >= step):
            return f"{int(seconds // step)} {unit} ago"
    return f"{int(seconds)} s ago" if seconds >= 1 else "now"


def moment(ns: int, zone: tzinfo = UTC, *, now_ns: int | None = None) -> str:
    """A point in time to the second in the reader's zone; without the date when that is the day of `now_ns`."""
    when = datetime.fromtimestamp(ns / NS, zone)
    today = now_ns is not None and datetime.fromtimestamp(now_ns / NS, zone).date() == when.date()
    return when.strftime("%H:%M:%S" if today else "%d %b %H:%M:%S")


def lately(ns: int, zone: tzinfo, now_ns: int) -> str:
    """A point in time as one says it: `14:00` today, `Tue 14:00` in the last six days, `12 Nov` before.

    Midnight is a whole day.
    """
    when, now = (datetime.fromtimestamp(at / NS, zone) for at in (ns, now_ns))
    if when.date() == now.date():
        return "today" if (when.hour, when.minute) == (0, 0) else when.strftime("%H:%M")
    if (now.date() - when.date()).days > 6:
        return when.strftime("%d %b" if when.year == now.year else "%d %b %Y").lstrip("0")
    return when.strftime("%a" if (when.hour, when.minute) == (0, 0) else "%a %H:%M")


def iso(ns: int) -> str:
    """A point in time as it stands in a URL or a file."""
    return datetime.fromtimestamp(ns / NS, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _three(number: float) -> str:
    digits = 2 if number < 9.995 else 1 if number < 99.95 else 0
    return f"{number:.{digits}f}"
