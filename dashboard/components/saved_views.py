"""Views saved under a name, in the sidebar: to open, to save the present one, to rename and to delete."""

from collections.abc import Callable

import streamlit as st

from dashboard import saved_views, store
from dashboard.components.assets import component
from dashboard.components.filters import DEFAULT_SPAN
from dashboard.components.text import safe
from dashboard.saved_views import ViewsRefused
from schemas.views import NAME_CHARS

_mount = component("saved_views", '<nav class="seam saved-views" aria-label="Saved views"></nav>')


def saved(page: str) -> None:
    """Lists the views and offers to change them.

    Args:
        page: path of the present page in the URL.
    """
    kept = saved_views.load(store.settings().data_dir)
    if kept.problem:
        st.warning(f"No saved views: {safe(kept.problem, 300)}")
    if kept.views:
        _mount(key="views", data=[view.model_dump(mode="json") for view in kept.views])
    with st.popover("Save, rename, delete" if kept.views else "Save this view", icon=":material/bookmark:"):
        _offer_to_save(page)
        if kept.views:
            _offer_to_change([view.name for view in kept.views])
    said: str | None = st.session_state.pop("views_said", None)
    if said:
        st.caption(said)


def _offer_to_save(page: str) -> None:
    with st.form("views_save", border=False):
        st.text_input("Name of this view", key="views_name", max_chars=NAME_CHARS)
        st.checkbox("Replace the view of that name", key="views_replace")
        st.form_submit_button("Save", on_click=_told, args=(_save, page), icon=":material/bookmark_add:")
    st.caption(
        "Page, filters and what is selected, for all who use this dashboard. "
        "A window such as 7d goes with the time, an exact range stays."
    )


def _save(page: str) -> str:
    state = st.session_state
    name = str(state["views_name"]).strip()
    asked = {key: st.query_params.get_all(key) for key in st.query_params}
    if "from" not in asked:
        asked.setdefault("window", [state.get("window") or DEFAULT_SPAN])  # should the default change one day
    aside = saved_views.save(store.settings().data_dir, name, page, asked, replace=bool(state["views_replace"]))
    return f"saved “{safe(name)}”" + (f"; the damaged file is now {safe(aside.name)}" if aside else "")


def _offer_to_change(names: list[str]) -> None:
    with st.form("views_change", border=False):
        st.selectbox("View", names, key="views_chosen")
        st.text_input("New name", key="views_new_name", max_chars=NAME_CHARS)
        with st.container(horizontal=True):
            st.form_submit_button("Rename", on_click=_told, args=(_rename,))
            st.form_submit_button("Delete", on_click=_told, args=(_delete,), icon=":material/delete:")


def _rename() -> str:
    old, new = str(st.session_state["views_chosen"]), str(st.session_state["views_new_name"]).strip()
    saved_views.rename(store.settings().data_dir, old, new)
    return f"“{safe(old)}” is now “{safe(new)}”"


def _delete() -> str:
    name = str(st.session_state["views_chosen"])
    saved_views.delete(store.settings().data_dir, name)
    return f"deleted “{safe(name)}”"


def _told(change: Callable[..., str], *args: str) -> None:
    """Makes a change and says what it did, or why it cannot be."""
    try:
        st.session_state["views_said"] = f":material/check: {change(*args)}"
    except ViewsRefused as exc:
        st.session_state["views_said"] = f":material/error: {safe(exc, 300)}"
