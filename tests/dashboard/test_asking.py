"""What components ask is done once, in order, whatever else a rerun brings."""

from typing import Any

from streamlit.testing.v1 import AppTest


def page() -> None:
    """A page with a component that sends what the test says it sends."""
    from typing import Any

    import streamlit as st

    from dashboard.components.asking import Asking

    def mount(**_: object) -> dict[str, Any]:
        return {"asked": st.session_state["sent"]}

    st.session_state.setdefault("done", [])

    def go(value: str) -> None:
        if st.session_state.pop("breaks_off", False):
            st.rerun()
        st.session_state["done"].append(value)

    it = Asking("it", {"go": go})
    it.answer()
    it.mount(mount, None)  # type: ignore[arg-type]


def asked(at: float, value: str, name: str = "go") -> dict[str, Any]:
    """What `ask` of `shared.js` sends."""
    return {"at": at, "name": name, "value": value}


def shown(app: AppTest, *sent: object) -> list[str]:
    """Runs the page once more with what its component sends. -> What was done so far."""
    app.session_state["sent"] = list(sent)
    app.run()
    assert not app.exception
    done: list[str] = app.session_state["done"]
    return done


def test_each_is_done_once_and_in_order() -> None:
    """However often it comes with what is asked after it."""
    app = AppTest.from_function(page)
    assert shown(app) == []
    assert shown(app, asked(1, "a")) == ["a"]
    assert shown(app, asked(1, "a")) == ["a"]
    assert shown(app, asked(3, "c"), asked(2, "b"), asked(1, "a")) == ["a", "b", "c"]
    assert shown(app, asked(2, "b"), asked(3, "c")) == ["a", "b", "c"]


def test_what_is_broken_off_is_done_with_the_next() -> None:
    """A newer request ends what the one before it does, at the first thing that is sent to the browser."""
    app = AppTest.from_function(page)
    assert shown(app, asked(1, "a")) == []
    app.session_state["breaks_off"] = True
    assert shown(app, asked(1, "a"), asked(2, "b"), asked(3, "c")) == ["b", "c"]


def test_what_another_session_was_asked_is_not_done_again() -> None:
    """A browser that finds its server started anew sends what it holds."""
    app = AppTest.from_function(page)
    assert shown(app, asked(5, "old")) == []
    assert shown(app, asked(5, "old"), asked(6, "new")) == ["new"]


def test_what_is_no_ask_is_left() -> None:
    """A name that the component does not have, and anything else that a browser may send."""
    app = AppTest.from_function(page)
    assert shown(app) == []
    assert shown(app, "go", None, {"at": "1"}, asked(1, "a", "other"), {"at": 2, "name": "go"}, asked(3, "b")) == ["b"]
