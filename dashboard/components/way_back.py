"""The way back from runs to the mark that led to them."""

from dashboard.components.assets import component

_mount = component("way_back", '<div class="seam way-back"></div>')


def way_back(*, key: str) -> None:
    """A link to the page that a mark led here from, as it was; nothing where none did."""
    _mount(key=key, data={}, width="content")
