"""What may be kept of a text that MIP wrote."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.adapters.redaction import LONGEST_EXCERPT, redacted


@pytest.mark.parametrize(
    ("body", "secrets", "text"),
    [
        pytest.param(b"plain text", ["x-ray"], "plain text", id="nothing to hide"),
        pytest.param(b"user jane, pass horse", ["jane", "horse"], "user ***, pass ***", id="both"),
        pytest.param(b"horsepower", ["horse", "horsepower"], "***", id="one within the other"),
        pytest.param(b"a-horse", ["horse", "a-horse"], "***", id="the shorter one sorts last"),
        pytest.param(b'{"p": "a\\"b"}', ['a"b'], '{"p": "***"}', id="as JSON spells it"),
        pytest.param(b"horse horse", ["horse"], "*** ***", id="twice"),
        pytest.param(b"text", [""], "text", id="empty secret"),
        pytest.param(b" two\r\n\tlines\x00here ", [], "two lines here", id="one line"),
        pytest.param(b"\xff\xfeok", [], "\ufffd\ufffdok", id="no utf-8"),
        pytest.param(b"", ["horse"], "", id="nothing"),
    ],
)
def test_redacted_hides_secrets_on_one_line(body: bytes, secrets: list[str], text: str) -> None:
    assert redacted(body, secrets) == text


def test_redacted_is_cut_after_hiding() -> None:
    body = b"x" * (LONGEST_EXCERPT - 3) + b"horse"
    assert redacted(body, ["horse"]) == "x" * (LONGEST_EXCERPT - 3) + "***"


@given(st.text(max_size=50), st.text("abcdef", min_size=4, max_size=12), st.text(max_size=50))
def test_redacted_never_holds_a_secret(before: str, secret: str, after: str) -> None:
    for body in (before + secret + after, json.dumps([before, secret, after])):
        assert secret not in redacted(body.encode("utf-8", "replace"), [secret])
