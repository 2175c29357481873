"""`versions`, `restore` and `diff`: what the bucket keeps of an entry's past."""

from argparse import Namespace
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

from core.model.datasets import Dataset
from core.model.entry import CacheEntry
from tools.admin.bucket import Version
from tools.admin.datasets import CACHE_PREFIX, key_of, one_dataset, title_of
from tools.admin.entries import (
    NotAnEntry,
    count_items,
    entry_of,
    put,
    read_entry,
    texts_of,
    what_comes_next,
)
from tools.admin.errors import RefusedError
from tools.admin.output import Answer, Table
from tools.admin.stack import Stack
from tools.admin.words import NOTHING, count, size, timestamp

AT_ONCE = 8
COLUMNS = ("version", "written at", "size", "state", "built at", "holds")


def versions(stack: Stack, arguments: Namespace) -> Answer:
    """List the newest versions of an entry."""
    dataset = one_dataset(arguments)
    kept = _versions(stack, dataset)
    shown = kept[: arguments.limit]
    with ThreadPoolExecutor(AT_ONCE) as readers:
        found = list(readers.map(lambda version: _described(stack, dataset, version), shown))
    document = {
        "dataset": dataset.as_json(),
        "key": key_of(dataset),
        "count": len(kept),
        "versions": found,
    }
    summary = f"{count(len(kept), 'version')} of {title_of(dataset)}, the newest first"
    if len(shown) < len(kept):
        summary += f"; the first {len(shown)} are shown (--limit)"
    return Answer(
        document, [summary, Table(COLUMNS, list(map(_row, found)))] if kept else [summary]
    )


def restore(stack: Stack, arguments: Namespace) -> Answer:
    """Put an earlier version in the place of the present entry, fresh for a while."""
    dataset, now = one_dataset(arguments), datetime.now(UTC)
    present = stack.bucket.read(key_of(dataset))
    entry = _entry(stack, dataset, arguments.version)
    restored, version = put(stack, entry, present, now, timedelta(hours=arguments.fresh_for))
    document = {
        "action": "restore",
        "dataset": dataset.as_json(),
        "restored": arguments.version,
        "version_id": version,
        "built_at": restored.built_at.isoformat(),
        "fresh_until": restored.fresh_until.isoformat(),
    }
    told = (
        f"Restored {title_of(dataset)} of {timestamp(entry.built_at)}: "
        f"{_counted(dataset, count_items(entry))}, fresh until {timestamp(restored.fresh_until)}."
    )
    return Answer(document, [told, *what_comes_next(stack)])


def diff(stack: Stack, arguments: Namespace) -> Answer:
    """Compare two versions: by default, the newest entry with the one before it."""
    dataset = one_dataset(arguments)
    old, new = _compared(stack, dataset, arguments.old, arguments.new)
    before, now = (_entry(stack, dataset, version) for version in (old, new))
    changes = changed(texts_of(before), texts_of(now))
    document = {"dataset": dataset.as_json(), "old": old, "new": new, "changes": changes}
    summary = f"{title_of(dataset)}, {timestamp(before.built_at)} -> {timestamp(now.built_at)}: "
    if not changes:
        return Answer(document, [f"{summary}no change"])
    kinds = [change["change"] for change in changes]
    told = ", ".join(
        f"{kinds.count(kind)} {kind}"
        for kind in ("added", "gone", "renamed", "changed")
        if kind in kinds
    )
    rows = [(c["change"], c["code"], c["before"] or "", c["now"] or "") for c in changes]
    return Answer(document, [summary + told, Table(("", "code", "before", "now"), rows)])


def changed(before: Mapping[str, str], now: Mapping[str, str]) -> list[dict[str, Any]]:
    """List what was added, is gone, or reads differently, by code."""
    return [
        {
            "change": _kind(code, before, now),
            "code": code,
            "before": before.get(code),
            "now": now.get(code),
        }
        for code in sorted(before.keys() | now.keys())
        if before.get(code) != now.get(code)
    ]


def _kind(code: str, before: Mapping[str, str], now: Mapping[str, str]) -> str:
    if code not in before:
        return "added"
    return "renamed" if code in now else "gone"


def _versions(stack: Stack, dataset: Dataset) -> list[Version]:
    key = key_of(dataset)
    return [version for version in stack.bucket.versions(key) if version.key == key]


def _described(stack: Stack, dataset: Dataset, version: Version) -> dict[str, Any]:
    found = read_entry(stack.bucket, dataset, version.version_id)
    described: dict[str, Any] = {
        "version_id": version.version_id,
        "written_at": version.written_at.astimezone(UTC).isoformat(),
        "size_bytes": version.size_bytes,
    }
    if isinstance(found, NotAnEntry):
        unusable = {"state": found.state, "built_at": None, "holds": None}
        return described | unusable | {"problem": found.reason}
    usable = {"state": "entry", "built_at": found.built_at.isoformat(), "holds": count_items(found)}
    return described | usable | {"problem": None}


def _entry(stack: Stack, dataset: Dataset, version_id: str) -> CacheEntry:
    """Read a version that must be an entry of the dataset. Raises RefusedError."""
    body = stack.bucket.read_version(key_of(dataset), version_id)
    if body is None:
        raise RefusedError(_unknown_version(stack, dataset, version_id))
    found = entry_of(body, dataset)
    if isinstance(found, NotAnEntry):
        raise RefusedError(
            f"the version {version_id} of {title_of(dataset)} is {found.state}: {found.reason}; "
            "choose one whose state is entry, as `versions` lists them"
        )
    return found


def _unknown_version(stack: Stack, dataset: Dataset, version_id: str) -> str:
    for version in stack.bucket.versions(CACHE_PREFIX):
        if version.version_id == version_id and version.key != key_of(dataset):
            return f"the version {version_id} is of {version.key}, not of {key_of(dataset)}"
    return f"{title_of(dataset)} has no version {version_id} to read; `versions` lists them"


def _compared(stack: Stack, dataset: Dataset, old: str | None, new: str | None) -> tuple[str, str]:
    """Choose what is not given: the newest entry, and the last one that another rebuild made.

    A soft purge writes the same data once more, under the same `built_at`.
    """
    if old is not None and new is not None:
        return old, new
    listed = [version.version_id for version in _versions(stack, dataset)]
    built = (
        (version, found)
        for version in listed
        if isinstance(found := read_entry(stack.bucket, dataset, version), CacheEntry)
    )
    newest, entry = (new, _entry(stack, dataset, new)) if new else next(built, (None, None))
    if newest is None or entry is None:
        raise RefusedError(f"{title_of(dataset)} has no version that can be read")
    earlier = old or next((v for v, found in built if found.built_at != entry.built_at), None)
    if earlier is None:
        raise RefusedError(f"{title_of(dataset)} has no earlier version to compare with")
    return earlier, newest


def _counted(dataset: Dataset, number: int) -> str:
    return count(number, "program" if dataset.period is None else "account")


def _row(version: Mapping[str, Any]) -> tuple[str, ...]:
    built_at = version["built_at"]
    return (
        version["version_id"],
        timestamp(datetime.fromisoformat(version["written_at"])),
        size(version["size_bytes"]),
        version["state"],
        timestamp(datetime.fromisoformat(built_at)) if built_at else NOTHING,
        str(version["holds"]) if version["holds"] is not None else version["problem"],
    )
