"""What is seen of MIP's stand-in, and which of its calls are news."""

from typing import Any

import pytest

from local.control_room import mip_view
from local.control_room.chronicle import Chronicle
from local.control_room.happenings import Happening
from local.control_room.mip_view import MipView
from local.control_room.watchers import Watchers
from local.mip import MipCloud
from local.mip.control import control


class Where:
    mip_url = "http://127.0.0.1:1"


class MipDoor:
    """The stand-in's control paths, without HTTP."""

    where = Where()

    def __init__(self, mip: MipCloud) -> None:
        self._mip = mip

    def mip(self, method: str, path: str, body: object = None) -> Any:
        return control(self._mip, method, f"/_control/{path}", body).payload


class Heard(Chronicle):
    def __init__(self) -> None:
        super().__init__(Watchers())
        self.texts: list[str] = []

    def add(self, happening: Happening) -> None:
        self.texts.append(happening.text)


@pytest.fixture
def mip() -> MipCloud:
    return MipCloud()


@pytest.fixture
def heard() -> Heard:
    return Heard()


@pytest.fixture
def view(mip: MipCloud, heard: Heard) -> MipView:
    return MipView(MipDoor(mip), heard)


def test_the_first_call_after_a_look_is_news(mip: MipCloud, view: MipView, heard: Heard) -> None:
    view.look()
    mip.call("login")
    view.look()
    view.look()
    assert heard.texts == ["answered 400 at login"]


def test_what_happened_before_anybody_looked_is_no_news(
    mip: MipCloud, view: MipView, heard: Heard
) -> None:
    mip.call("logout")
    view.look()
    mip.call("segments")
    view.look()
    assert heard.texts == ["answered 401 at segments"]


def test_what_happened_while_nobody_watched_is_no_news_either(
    mip: MipCloud, view: MipView, heard: Heard, monkeypatch: pytest.MonkeyPatch
) -> None:
    view.look()
    mip.call("logout")
    monkeypatch.setattr(mip_view, "REST_SECONDS", -1.0)
    view.look()
    assert heard.texts == []


def test_a_reset_begins_the_numbers_anew(mip: MipCloud, view: MipView, heard: Heard) -> None:
    mip.call("logout")
    mip.call("logout")
    view.look()
    mip.reset()
    mip.call("segments")
    view.look()
    assert heard.texts == ["answered 401 at segments"]


def test_a_call_that_has_no_answer_yet_is_under_way(mip: MipCloud, view: MipView) -> None:
    seen: list[int] = []
    mip.on_call = lambda _: seen.append(view.look()["calls_under_way"])
    mip.call("logout")
    assert seen == [1]
    assert view.look()["calls_under_way"] == 0


def test_a_journal_that_has_forgotten_its_oldest_calls_is_still_complete(
    mip: MipCloud, view: MipView
) -> None:
    for _ in range(1001):
        mip.call("logout")
    assert view.look()["calls_under_way"] == 0
