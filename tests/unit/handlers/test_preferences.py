"""What a client prefers: how long it waits, and whether it wants JSON rather than HTML."""

import pytest

from handlers.preferences import preferred_wait_seconds, prefers_json

FIREFOX = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        pytest.param(None, None, id="absent"),
        pytest.param("", None, id="empty"),
        pytest.param("wait=0", 0, id="not at all"),
        pytest.param("Wait=10", 10, id="any case"),
        pytest.param('wait="10"', 10, id="quoted"),
        pytest.param("wait = 10", 10, id="bad whitespace"),
        pytest.param("wait=10, respond-async", 10, id="first preference"),
        pytest.param("wait=10; foo=bar", 10, id="with a parameter"),
        pytest.param("wait=5, wait=10", 5, id="the first counts"),
        pytest.param("wait=soon, wait=10", 10, id="the first valid one counts"),
        pytest.param("wait=-5", None, id="negative"),
        pytest.param("wait=1.5", None, id="fraction"),
        pytest.param("wait=", None, id="no value"),
        pytest.param("await=10", None, id="another name"),
        pytest.param("wait=9999999999", None, id="beyond reason"),
    ],
)
def test_preferred_wait_is_read(prefer: str | None, seconds: int | None) -> None:
    assert preferred_wait_seconds(prefer) == seconds


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        pytest.param(None, False, id="absent"),
        pytest.param("", False, id="empty"),
        pytest.param("*/*", False, id="anything, as curl says"),
        pytest.param(FIREFOX, False, id="a browser"),
        pytest.param("text/html", False, id="HTML alone"),
        pytest.param("application/json", True, id="JSON alone"),
        pytest.param("APPLICATION/JSON", True, id="any case"),
        pytest.param("application/json, */*", False, id="anything as much"),
        pytest.param("application/json, */*;q=0.9", True, id="rather than anything"),
        pytest.param("application/json;charset=utf-8", True, id="with a parameter"),
        pytest.param("application/json, text/html", False, id="as much as the other"),
        pytest.param("application/json, text/html;q=1.000", False, id="the default is the most"),
        pytest.param("application/json;q=1.0, text/html;q=0.999", True, id="the most, spelled out"),
        pytest.param("application/json;q=0.5, text/html;q=0.6", False, id="HTML weighs more"),
        pytest.param("application/json;q=0.6, text/html;q=0.5", True, id="JSON weighs more"),
        pytest.param("application/problem+json, text/html;q=0.9", True, id="problems preferred"),
        pytest.param("application/*;q=0.9, text/html;q=0.8", True, id="a range of JSON"),
        pytest.param("*/*, text/html;q=0", True, id="HTML refused"),
        pytest.param("*/*, text/*;q=0.9", True, id="anything rather than text"),
        pytest.param("*/*;q=0.1, application/json;q=0, application/*;q=0", False, id="no JSON"),
        pytest.param("application/json ; q=0.3 , */*;q=0.2", True, id="spaces"),
        pytest.param("application/json;q=2, */*;q=0.1", False, id="malformed weight"),
        pytest.param("application/json;q=nan", False, id="no number"),
        pytest.param(",,;,application/json", True, id="empty elements"),
    ],
)
def test_json_is_preferred_where_it_weighs_more_than_html(
    accept: str | None, expected: bool
) -> None:
    assert prefers_json(accept) is expected


@pytest.mark.parametrize("noise", ["a," * 4000, "a;" * 4000 + ",", "q=" * 4000 + ",", "," * 9000])
def test_json_is_found_behind_any_noise(noise: str) -> None:
    assert prefers_json(f"{noise}application/json") is True
