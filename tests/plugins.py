"""A package with entry points, as if it were installed: on the path, with metadata."""

from __future__ import annotations

import sys
from pathlib import Path

PACKAGE = "plankton-test"


def write_plugins(folder: Path, group: str, codes: dict[str, str]) -> Path:
    """Modules ``plugin_NAME`` with an ``ENTRY`` each, offered in a group; returns the folder."""
    metadata = folder / f"{PACKAGE.replace('-', '_')}-1.0.dist-info"
    metadata.mkdir(parents=True, exist_ok=True)
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {PACKAGE}\nVersion: 1.0\n")
    lines = [f"[{group}]", *(f"{name} = plugin_{name}:ENTRY" for name in codes)]
    with (metadata / "entry_points.txt").open("a") as file:
        file.write("\n".join(lines) + "\n")
    for name, code in codes.items():
        (folder / f"plugin_{name}.py").write_text(code)
    return folder


def forget_plugins() -> None:
    """Import them anew when they are next asked for."""
    for name in [name for name in sys.modules if name.startswith("plugin_")]:
        del sys.modules[name]
