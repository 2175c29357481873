"""Stored samples: MIP's replies, and cache entries of every schema version."""

from pathlib import Path

HERE = Path(__file__).parent


def sample(name: str) -> bytes:
    """Read a sample by its path below this folder."""
    return (HERE / name).read_bytes()
