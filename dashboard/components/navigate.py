"""Goes to another page from a script. Links in pages need none of this."""

import time

from dashboard.components.assets import component

_mount = component("navigate", '<div class="navigate"></div>')


def navigate(page: str, **params: str | list[str]) -> None:
    """Sends the browser to a page of ours, with the shared filters as they are but for those given; [] is none."""
    _mount(key="navigate", data={"page": page, "params": params, "order": time.time_ns()}, height=1)
