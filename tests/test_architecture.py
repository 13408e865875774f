"""The arrows of ARCHITECTURE.md: who may import whom, and what must stay light."""

import ast
import re
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import plankton_features
from plankton_features import _HOMES

PACKAGE = Path(plankton_features.__file__).parent

#: Room -> rooms it may import. Everything may import those for all.
ARROWS = {
    "csv_writing": set(),
    "errors": set(),
    "files": set(),
    "lazy": set(),
    "machine": set(),
    "progress": set(),
    "images": set(),
    "morphometry": {"images"},
    "embedding": {"images"},
    "diagnosis": {"embedding"},
    "store": set(),
    "extraction": {"images", "morphometry", "embedding", "store"},
    "assessment": set(),
    "heads": {"assessment"},
    "results": {"images", "embedding", "store", "extraction", "assessment", "heads"},
    "report": {"images", "assessment", "heads", "results"},
    "exchange": {"images", "heads"},
    "finetuning": {"images", "embedding", "extraction", "assessment", "heads", "results"},
    "cli": {"images", "embedding", "store", "extraction", "assessment", "heads", "results",
            "report", "exchange", "finetuning", "diagnosis", "morphometry"},
}
FOR_ALL = {"csv_writing", "errors", "files", "lazy", "machine", "progress"}
HEAVY = {"tensorflow", "keras", "openvino", "matplotlib"}


#: What no room but `cli` may use.
LOUD = {"print", "input", "exit", "quit", "SystemExit", "sys.exit", "sys.stdout", "sys.stderr",
        "sys.__stdout__", "sys.__stderr__", "os._exit"}
MOST_LINES = 300


def modules(package=PACKAGE):
    return [path for path in sorted(package.rglob("*.py")) if path != package / "__init__.py"]


def room_of(path, package=PACKAGE):
    room = path.relative_to(package).with_suffix("").parts[0]
    return "cli" if room == "__main__" else room  # python -m plankton_features


def source_of(path):
    return path.read_text(encoding="utf-8")


def imported_names(source):
    """Dotted names; `*` for all of the package, which could be any room."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield "plankton_features.*" if alias.name == "plankton_features" else alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative import"
            for alias in node.names:
                home = _HOMES.get(alias.name, alias.name)
                yield f"plankton_features.{home}" if node.module == "plankton_features" else (
                    f"{node.module}.{alias.name}")


def imported_rooms(source):
    parts = [name.split(".") for name in imported_names(source)]
    return {p[1] for p in parts if p[0] == "plankton_features"}


def loud_names(source):
    """Of `LOUD`; flushing a stream says nothing. A module under another name counts as loud."""
    nodes = list(ast.walk(ast.parse(source)))
    flushed = [node.value for node in nodes if isinstance(node, ast.Attribute)
               and node.attr == "flush"]
    names = {ast.unparse(node) for node in nodes if isinstance(node, ast.Name | ast.Attribute)
             and node not in flushed}
    names |= {f"{node.module}.{alias.name}" for node in nodes if isinstance(node, ast.ImportFrom)
              for alias in node.names}
    renamed = {alias.asname for node in nodes if isinstance(node, ast.Import)
               for alias in node.names if alias.name in ("sys", "os", "builtins") and alias.asname}
    return names & LOUD | renamed


def test_every_room_is_on_the_map():
    assert {room_of(path) for path in modules()} == set(ARROWS)


def test_a_module_beside_the_rooms_is_seen(tmp_path):
    for name in ("__init__.py", "helpers.py", "heads/__init__.py"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    assert {room_of(path, tmp_path) for path in modules(tmp_path)} == {"helpers", "heads"}


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_imports_follow_the_arrows(path):
    allowed = ARROWS[room_of(path)] | FOR_ALL | {room_of(path)}
    assert imported_rooms(source_of(path)) <= allowed


def imports_between(paths, package=PACKAGE):
    """Module -> modules of these that it imports, for types or in functions too."""
    names = {".".join(("plankton_features", *path.relative_to(package).with_suffix("").parts)
                      ).removesuffix(".__init__"): path for path in paths}
    graph = {}
    for name, path in names.items():
        found = {imported if imported in names else imported.rpartition(".")[0]
                 for imported in imported_names(source_of(path))}
        graph[name] = (found & set(names)) - {name}
    return graph


def longest_chains(graph):
    """Module -> imports that can follow each other from it; raises CycleError where they circle."""
    lengths = {}
    for name in TopologicalSorter(graph).static_order():
        lengths[name] = max((1 + lengths[other] for other in graph[name]), default=0)
    return lengths


def test_heads_are_five_imports_deep_at_most():
    inside = [path for path in modules() if room_of(path) == "heads" and path.stem != "__init__"]
    assert max(longest_chains(imports_between(inside)).values()) <= 5


def test_no_imports_circle():
    longest_chains(imports_between(modules()))


def test_the_walk_sees_chains_and_circles(tmp_path):
    (tmp_path / "room").mkdir()
    texts = {"a": "from plankton_features.room import b",
             "b": "def f():\n    from plankton_features.room.c import d", "c": ""}
    for name, text in texts.items():
        (tmp_path / "room" / f"{name}.py").write_text(text, encoding="utf-8")
    graph = imports_between(modules(tmp_path), tmp_path)
    assert longest_chains(graph) == {"plankton_features.room.a": 2, "plankton_features.room.b": 1,
                                     "plankton_features.room.c": 0}
    (tmp_path / "room" / "c.py").write_text("from plankton_features.room.a import x",
                                            encoding="utf-8")
    with pytest.raises(CycleError):
        longest_chains(imports_between(modules(tmp_path), tmp_path))


@pytest.mark.parametrize(("source", "rooms"), [
    ("from plankton_features import fit_head, cli, extract", {"heads", "cli", "extraction"}),
    ("from plankton_features.store import Plan", {"store"}),
    ("def f():\n    import plankton_features.report.page", {"report"}),
    ("import plankton_features as pf", {"*"}),
    ("from plankton_features import *", {"*"}),
    ("import numpy\nfrom heads import fit_head", set()),
])
def test_the_walk_sees_every_kind_of_import(source, rooms):
    assert imported_rooms(source) == rooms


def test_the_walk_sees_imports():
    assert imported_rooms(source_of(PACKAGE / "extraction" / "pipeline.py")) >= {
        "embedding", "store"}


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_no_module_is_long(path):
    assert len(source_of(path).splitlines()) <= MOST_LINES


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(PACKAGE)))
def test_heavy_packages_are_imported_inside_functions(path):
    top = ast.parse(source_of(path)).body
    names = {alias.name.split(".")[0] for node in top if isinstance(node, ast.Import)
             for alias in node.names}
    names |= {node.module.split(".")[0] for node in top if isinstance(node, ast.ImportFrom)}
    assert not names & HEAVY


@pytest.mark.parametrize("path", [p for p in modules() if room_of(p) != "cli"],
                         ids=lambda p: str(p.relative_to(PACKAGE)))
def test_only_the_command_line_prints_and_exits(path):
    assert not loud_names(source_of(path))


@pytest.mark.parametrize(("source", "names"), [
    ("print('a')", {"print"}),
    ("raise SystemExit", {"SystemExit"}),
    ("raise SystemExit(2)", {"SystemExit"}),
    ("import sys\nsys.exit(1)", {"sys.exit"}),
    ("import sys\nsys.stdout.write('a')", {"sys.stdout"}),
    ("import sys\nout = sys.stderr", {"sys.stderr"}),
    ("from sys import stdout as out", {"sys.stdout"}),
    ("import sys as s\ns.exit()", {"s"}),
    ("import sys\nsys.stderr.flush()\nname = sys.argv[1]", set()),
])
def test_the_walk_sees_what_prints_and_exits(source, names):
    assert loud_names(source) == names


PLACES = (Path(__file__).parents[1] / "ARCHITECTURE.md").read_text(encoding="utf-8").partition(
    "## Where things go")[2].partition("\n## ")[0].split("\n- ")[1:]


@pytest.mark.parametrize("place", PLACES, ids=lambda p: p[2:].partition(":")[0])
def test_what_the_page_names_is_where_it_says(place):
    root = Path(__file__).parents[1]
    named = re.findall(r"`([\w/]+\.py)`", place)
    files = [[*root.glob(name), *PACKAGE.rglob(name)] for name in named]
    assert all(files)
    text = "".join(source_of(path) for found in files for path in found)
    for name in re.findall(r"`(_?[A-Z_]+)`", place):
        assert re.search(rf"^{name}\b.*=", text, re.MULTILINE), name


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


@pytest.mark.parametrize("path", sorted((PACKAGE / "cli").glob("*.py")), ids=lambda p: p.name)
def test_names_of_others_are_shown_by_one_piece(path):
    """Rich's own `escape` lets control characters through."""
    assert ("rich.markup" in imported_names(source_of(path))) <= (path.name == "display.py")
    assert "from rich.markup import escape" not in source_of(path)
