"""The Prefer header: how long a client is willing to wait."""

import pytest

from handlers.preferences import preferred_wait_seconds


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        pytest.param(None, None, id="absent"),
        pytest.param("", None, id="empty"),
        pytest.param("wait=0", 0, id="not at all"),
        pytest.param("wait=10", 10, id="ten seconds"),
        pytest.param("Wait=10", 10, id="any case"),
        pytest.param('wait="10"', 10, id="quoted"),
        pytest.param("wait = 10", 10, id="bad whitespace"),
        pytest.param("respond-async, wait=10", 10, id="second preference"),
        pytest.param("wait=10, respond-async", 10, id="first preference"),
        pytest.param("wait=10; foo=bar", 10, id="with a parameter"),
        pytest.param("wait=5, wait=10", 5, id="the first counts"),
        pytest.param("wait=soon, wait=10", 10, id="the first valid one counts"),
        pytest.param("wait=-5", None, id="negative"),
        pytest.param("wait=1.5", None, id="fraction"),
        pytest.param("wait=", None, id="no value"),
        pytest.param("wait", None, id="no equals sign"),
        pytest.param("await=10", None, id="another name"),
        pytest.param("wait=9999999999", None, id="beyond reason"),
    ],
)
def test_preferred_wait_is_read(prefer: str | None, seconds: int | None) -> None:
    assert preferred_wait_seconds(prefer) == seconds
