"""The dashboard's router: page set-up, navigation, the sidebar that all pages share."""

from importlib.resources import files

import streamlit as st

from dashboard.components import filters, parameters, pulse
from dashboard.components.jump import jump_to_run
from dashboard.components.keyboard import keyboard
from dashboard.components.saved_views import saved
from dashboard.components.states import guarded

ICON = files("dashboard") / "static" / "icon.svg"  # our own: a named Material icon would be fetched from a font host

st.set_page_config(page_title="Seamscope", page_icon=str(ICON), layout="wide")

page = st.navigation(
    [
        st.Page(
            "views/overview.py",
            title="Overview",
            icon=":material/monitoring:",
            default=True,
            help="How it goes right now",
        ),
        st.Page(
            "views/steps.py",
            title="Steps",
            icon=":material/stairs:",
            url_path="steps",
            help="What the chain delivers, and which step loses it",
        ),
        st.Page(
            "views/failures.py",
            title="Failures",
            icon=":material/error:",
            url_path="failures",
            help="What fails, in which layer, and whether anyone notices",
        ),
        st.Page(
            "views/retries.py",
            title="Retries",
            icon=":material/replay:",
            url_path="retries",
            help="Whether retries save runs or hurt them",
        ),
        st.Page(
            "views/drift.py",
            title="Drift",
            icon=":material/trending_down:",
            url_path="drift",
            help="Since when it delivers less, and what did it",
        ),
        st.Page("views/runs.py", title="Runs", icon=":material/list:", url_path="runs", help="Find a run"),
        st.Page(
            "views/run.py", title="Run", icon=":material/account_tree:", url_path="run", help="One run, step by step"
        ),
        st.Page(
            "views/reports.py",
            title="Reports",
            icon=":material/summarize:",
            url_path="reports",
            help="The weekly summary",
        ),
        st.Page(
            "views/connect.py", title="Connect", icon=":material/power:", url_path="connect", help="Send spans here"
        ),
    ],
    position="top",
)

parameters.complain(page.url_path)  # before the widgets take their defaults
with st.sidebar:
    jump_to_run()
    st.fragment(keyboard)()
    guarded(filters.sidebar)()
    st.fragment(guarded(saved))(page.url_path)
    foot = st.container()

guarded(page.run)()
with foot:  # what the page shows comes first
    pulse.footer()
