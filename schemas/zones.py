"""Time zones by their IANA name."""

from datetime import UTC, tzinfo
from zoneinfo import ZoneInfo


def zone_of(name: str) -> tzinfo:
    """The zone of an IANA name. `UTC` needs no time-zone database.

    Raises:
        ValueError: there is none of that name here.
    """
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as exc:  # OSError: a folder of the database, as in "Europe"
        raise ValueError(
            f"{name[:60]!r} is no time zone known here; write an IANA name such as Europe/Berlin "
            "(a system without a time-zone database needs the package tzdata)"
        ) from exc
