"""The folder of converted networks."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

from plankton_features.embedding.openvino_cache import cache_folder


@dataclass(frozen=True)
class Cache:
    """The folder of converted networks.

    Attributes
    ----------
    folder : Path
    networks : int
        Converted networks in it.
    size, free : int
        Bytes that it takes, and that are free on its disk.
    writable : bool
    """

    folder: Path
    networks: int
    size: int
    free: int
    writable: bool


def look_at_cache() -> Cache:
    """Look at the folder, or where it would be made."""
    folder = cache_folder()
    files = [p for p in folder.rglob("*") if p.is_file()]
    there = next(p for p in (folder, *folder.absolute().parents) if p.exists())
    return Cache(
        folder=folder, networks=sum(1 for _ in folder.glob("*/description.json")),
        size=sum(p.stat().st_size for p in files), free=shutil.disk_usage(there).free,
        writable=there.is_dir() and os.access(there, os.W_OK | os.X_OK),
    )
