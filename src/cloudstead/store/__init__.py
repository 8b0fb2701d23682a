"""Typed rows that survive any crash: SQLite, compare-and-swap, one change log that wakes every process."""

from cloudstead.store.migrations import WrittenByNewer
from cloudstead.store.rows import Row
from cloudstead.store.sqlite import Store, Unavailable

__all__ = ["Row", "Store", "Unavailable", "WrittenByNewer"]
