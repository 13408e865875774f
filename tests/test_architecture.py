"""The arrows of ARCHITECTURE.md: who may import whom, and what must stay light."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import plankton_features

PACKAGE = Path(plankton_features.__file__).parent

#: Room -> rooms it may import. Everything may import `errors`, `progress`, `replacing`, `machine`.
ARROWS = {
    "errors": set(),
    "machine": set(),
    "progress": set(),
    "replacing": set(),
    "images": set(),
    "embedding": {"images"},
    "diagnosis": {"embedding"},
    "store": set(),
    "extraction": {"images", "embedding", "store"},
    "assessment": set(),
    "heads": {"assessment"},
    "report": {"images", "assessment"},
    "finetuning": {"images", "embedding", "extraction", "assessment", "heads"},
    "cli": {"images", "embedding", "store", "extraction", "assessment", "heads", "report",
            "finetuning", "diagnosis"},
}
HEAVY = {"tensorflow", "keras", "openvino", "matplotlib"}


def modules():
    return [p for p in sorted(PACKAGE.rglob("*.py")) if p.parent != PACKAGE or p.stem in ARROWS]


def room_of(path):
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported_names(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module


def imported_rooms(path):
    parts = [name.split(".") for name in imported_names(path)]
    return {p[1] for p in parts if p[0] == "plankton_features" and len(p) > 1}


def test_every_room_is_on_the_map():
    assert {room_of(path) for path in modules()} == set(ARROWS)


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_follow_the_arrows(path):
    allowed = ARROWS[room_of(path)] | {"errors", "progress", "replacing", "machine", room_of(path)}
    assert imported_rooms(path) <= allowed


def test_the_walk_sees_imports():
    assert imported_rooms(PACKAGE / "extraction" / "pipeline.py") >= {"embedding", "store"}


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_heavy_packages_are_imported_inside_functions(path):
    top = ast.parse(path.read_text(encoding="utf-8")).body
    names = {alias.name.split(".")[0] for node in top if isinstance(node, ast.Import)
             for alias in node.names}
    names |= {node.module.split(".")[0] for node in top if isinstance(node, ast.ImportFrom)}
    assert not names & HEAVY


@pytest.mark.parametrize("path", [p for p in modules() if room_of(p) != "cli"],
                         ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_the_command_line_prints_and_exits(path):
    calls = [node.func for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
             if isinstance(node, ast.Call)]
    names = {c.id for c in calls if isinstance(c, ast.Name)}
    names |= {f"{c.value.id}.{c.attr}" for c in calls
              if isinstance(c, ast.Attribute) and isinstance(c.value, ast.Name)}
    assert not names & {"print", "exit", "sys.exit", "os._exit"}


def loaded_after(code):
    code += "\nimport sys; print(' '.join(sorted({m.split('.')[0] for m in sys.modules})))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.splitlines()[-1].split())


def test_importing_the_package_is_light():
    loaded = loaded_after("import plankton_features")
    assert not loaded & (HEAVY | {"sklearn", "pandas", "numpy", "h5py"})


def test_public_names_import_no_engine():
    loaded = loaded_after("from plankton_features import *")
    assert "sklearn" in loaded
    assert not loaded & HEAVY


def test_help_imports_neither_engines_nor_tables():
    loaded = loaded_after("from plankton_features.cli.main import main\n"
                          "try:\n    main(['extract', '--help'])\nexcept SystemExit:\n    pass\n0")
    assert "numpy" in loaded
    assert not loaded & (HEAVY | {"sklearn", "pandas", "h5py", "rich"})
