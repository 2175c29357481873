"""What every cache store promises."""

import pytest

from core.errors import ConflictError
from core.ports import CacheStore, NotModified, StoredObject

KEY = "cache/v1/programs.json"


def test_put_then_read_gives_the_body_and_an_etag(cache: CacheStore) -> None:
    cache.put(KEY, b"one")
    stored = cache.read(KEY)
    assert isinstance(stored, StoredObject)
    assert stored.body == b"one"
    assert stored.etag


@pytest.mark.parametrize("cache", ["fake", "reader"], indirect=True)
def test_read_with_a_known_etag_gives_what_has_changed(cache: CacheStore) -> None:
    etag = cache.create(KEY, b"one")
    assert cache.read_if_changed(KEY, etag) == NotModified()
    cache.put(KEY, b"two")
    stored = cache.read_if_changed(KEY, etag)
    assert isinstance(stored, StoredObject)
    assert stored.body == b"two"
    cache.delete([KEY])
    assert cache.read_if_changed(KEY, etag) is None


def test_replace_of_what_was_expected_succeeds(cache: CacheStore) -> None:
    etag = cache.create(KEY, b"one")
    assert cache.replace(KEY, b"two", etag) != etag


def test_create_where_something_appeared_meanwhile_is_refused(cache: CacheStore) -> None:
    cache.put(KEY, b"other")
    with pytest.raises(ConflictError):
        cache.create(KEY, b"mine")
    stored = cache.read(KEY)
    assert isinstance(stored, StoredObject)
    assert stored.body == b"other"


def test_replace_of_what_changed_meanwhile_is_refused(cache: CacheStore) -> None:
    etag = cache.create(KEY, b"one")
    cache.put(KEY, b"other")
    with pytest.raises(ConflictError):
        cache.replace(KEY, b"mine", etag)


def test_replace_of_what_was_deleted_meanwhile_is_refused_and_a_create_succeeds(
    cache: CacheStore,
) -> None:
    etag = cache.create(KEY, b"one")
    cache.delete([KEY])
    with pytest.raises(ConflictError):
        cache.replace(KEY, b"mine", etag)
    assert cache.read(KEY) is None
    cache.create(KEY, b"two")
    assert isinstance(cache.read(KEY), StoredObject)


def test_delete_takes_more_keys_than_one_request_does_and_absent_ones(cache: CacheStore) -> None:
    keys = [f"cache/{number:04}" for number in range(1001)]
    for key in keys[::100]:
        cache.put(key, b"x")
    cache.delete(keys)
    assert list(cache.list("cache/")) == []


def test_list_gives_keys_and_sizes_below_a_prefix_by_key(cache: CacheStore) -> None:
    for key, body in (("a/2", b"22"), ("a/1", b"1"), ("b/1", b"x")):
        cache.put(key, body)
    assert [(item.key, item.size_bytes) for item in cache.list("a/")] == [("a/1", 1), ("a/2", 2)]
