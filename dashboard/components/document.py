"""A document of ours in a page: an HTML file as its readers will see it."""

from dashboard.components.assets import component

_mount = component("document", '<div class="seam document"></div>')


def document(text: str, *, title: str, key: str) -> None:
    """Shows an HTML document in a sandboxed frame: it runs nothing, follows no link out and cannot reach the page."""
    _mount(key=key, data={"document": text, "title": title})
