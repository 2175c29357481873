"""Bodies as long as Lambda lets them be, and what a reader keeps of them."""

import json
from bisect import bisect_left

import pytest

from core.model.entry import ProgramLists, encode
from core.reading.load import VIEWS_BYTES_PER_ENTRY, VIEWS_PER_ENTRY
from handlers.proxy import response
from handlers.responses import PAYLOAD_LIMIT_BYTES, rendered
from local.functions.sandbox import MAX_RESPONSE_BYTES
from tests.builders import make_entry, store_entries
from tests.wired import WiredReader


@pytest.mark.parametrize("character", ["x", '"', "\\", "\n", "\x00", "é", "字", "𐐷"])
def test_body_that_just_fits_is_within_lambdas_limit_however_json_spells_it(
    character: str,
) -> None:
    def is_too_long(count: int) -> bool:
        return not rendered(character * count).fits

    longest = bisect_left(range(PAYLOAD_LIMIT_BYTES + 1), True, key=is_too_long) - 1
    answer = response(200, {"Any-Header": "x" * 4096}, character * longest)
    size_bytes = len(json.dumps(answer, ensure_ascii=False).encode())
    assert PAYLOAD_LIMIT_BYTES < size_bytes <= MAX_RESPONSE_BYTES


def test_reader_keeps_only_as_many_views_of_a_very_large_entry_as_its_memory_bears() -> None:
    """Anybody may ask for it with ever other limits."""
    api = WiredReader()
    names = {f"{100_000 + n}": f"Program {n}" for n in range(60_000)}
    entry = make_entry(data=ProgramLists(names, names))
    store_entries(api.store, entry)
    for limit in range(1, VIEWS_PER_ENTRY + 1):
        assert api.get("/tags", limit=str(limit))["statusCode"] == 200
    [loaded] = api.services().lookup._entries._loaded.values()
    assert 1 < len(loaded.views) <= VIEWS_BYTES_PER_ENTRY / len(encode(entry))
