"""Every message in docs/troubleshooting.md is one that the package says."""

import ast
import re
import shutil
from pathlib import Path

import numpy as np
import pytest

import plankton_features
from plankton_features.cli.main import main
from plankton_features.images.synthetic import make_vignettes

ROOT = Path(__file__).parents[1]
HEADINGS = re.findall(r"^### `(.+)`$", (ROOT / "docs" / "troubleshooting.md").read_text(
    encoding="utf-8"), re.MULTILINE)


PIXELS = "--backbone pixels"
LITE = "--backbone efficientnet_lite0"
#: Commands that go wrong, and what they say.
PROVOKED = [
    ("extract nowhere new.h5", "expected a folder of images or a CSV table, found nothing there"),
    ("extract raw new.h5", "expected images (...) in it or in folders below it; found ..."),
    ("extract names.csv new.h5", "expected a column named 'path'"),
    ("extract latin.csv new.h5", "expected a CSV table in UTF-8"),
    ("info imgs.h5 --problems", "not an image of a known kind, or its header is damaged"),
    (f"extract imgs no/new.h5 {PIXELS}", "the folder ... does not exist"),
    (f"extract imgs imgs.h5 {PIXELS} --canvas 32", "made with another recipe"),
    (f"extract one imgs.h5 {PIXELS}",
     "was made from other images, or they have changed since"),
    (f"extract imgs begun.h5 {PIXELS}",
     "damaged, or not a feature file: it cannot be continued"),
    ("fit begun.h5", "no such feature file"),
    ("fit cut.h5", "cannot be opened, it is damaged or not a feature file"),
    ("fit flat.h5", "no image has a label"),
    ("fit one.h5", "labels: expected at least two classes"),
    ("fit imgs.h5 -o x --group-level 1 --folds 4", "... folds need at least ... groups"),
    ("fit imgs.h5 -o x --folds 30", "... folds need at least ... images of one class"),
    ("fit imgs.h5 -o x --group-level 1 --folds 3", "groups: each class lies in one group only"),
    ("fit imgs.h5 -o x --group-pattern tow", "no group for ... of ... images"),
    ("fit imgs.h5 -o x --group-pattern syn", "... images are in one group"),
    ("fit imgs.h5 -o x --sampler smite", "sampler '...': expected one of"),
    ("fit imgs.h5 -o x --floor 9", "sampler '...' takes none"),
    ("fit imgs.h5 -o x --sampler smote --floor 900000000",
     "sampler ... would make ... rows x ... values and take about ... GB of memory"),
    ("fit imgs.h5 -o x --sampler class-weight --classifier knn",
     "classifier ... cannot weight classes"),
    ("fit imgs.h5", "is there already. Use --overwrite to replace it, or another name"),
    ("classify imgs.h5 imgs.h5 -o x.csv",
     "HDF5, such as a feature file, expected a head file"),
    ("classify broken.head imgs.h5 -o x.csv", "damaged, changed or not a head file"),
    ("classify imgs.head small.h5 -o x.csv", "made with another recipe than the head's"),
    (f"fine-tune imgs m.keras {LITE} --epochs 7", "training that was broken off had other options"),
    (f"fine-tune imgs n.keras {LITE} --cache-frozen",
     "--cache-frozen keeps the activations of a few views"),
]


def written(node):
    """Text of a string in the source, with an ellipsis for what is put in; None for others."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else None
    if isinstance(node, ast.JoinedStr):
        return "".join(written(value) or "…" for value in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        parts = [written(node.left), written(node.right)]
        return None if parts == [None, None] else "".join(part or "…" for part in parts)
    return None


def messages():
    """Every string of the package that is no documentation."""
    for path in Path(plankton_features.__file__).parent.rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        told = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if id(node) not in told and (text := written(node)):
                yield " ".join(text.split())


MESSAGES = set(messages())


def says(text, heading):
    """Whether the pieces of a heading between its dots follow each other in a text."""
    return re.search(".*".join(map(re.escape, heading.split("..."))), text, re.DOTALL)


@pytest.mark.parametrize("heading", sorted(set(HEADINGS) - {heading for _, heading in PROVOKED}))
def test_other_messages_are_in_the_source(heading):
    assert len(re.sub(r"\W|\.\.\.", "", heading)) > 10, "too few words to be found by"
    assert any(says(text, heading) for text in MESSAGES)


DESTRUCTIVE = re.compile(r"--overwrite|[Dd]elete|[Rr]emove|\banew with\b")


def test_no_message_of_damage_advises_what_destroys():
    """A file that cannot be read may be sound; a damaged one may be another program's."""
    told = [text for text in MESSAGES if re.search("damaged|cannot be (read|opened)", text)]
    assert len(told) > 5
    assert not [text for text in told if DESTRUCTIVE.search(text)]


def test_words_that_nobody_says_are_not_found():
    assert not any(says(text, "no such message was ... written") for text in MESSAGES)
    assert not any(says(text, "Every string of the package") for text in MESSAGES)


def test_each_message_is_there_once():
    assert len(set(HEADINGS)) == len(HEADINGS) > 50


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Images, features, a head, and things that are wrong with copies of them."""
    root = tmp_path_factory.mktemp("world")
    images = make_vignettes(root / "imgs", n_classes=3, n_images=40, imbalance=2, size=(20, 40))
    for name, rows in (("flat", images[:9]), ("one", images[images["label"] == "Discoida"])):
        for path in rows["path"]:
            target = root / name / ("Discoida" if name == "one" else "") / Path(path).name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / "imgs" / path, target)
    (root / "imgs" / "Discoida" / "broken.png").write_bytes(b"not an image")
    (root / "raw").mkdir()
    (root / "raw" / "frame.raw").write_bytes(b"0")
    (root / "names.csv").write_text("file,label\na.png,x\n", encoding="utf-8")
    (root / "latin.csv").write_bytes("path,label\na.png,Méduse\n".encode("latin-1"))
    for name in ("imgs", "flat", "one"):
        extract(root / name, root / f"{name}.h5")
    assert main(["fit", str(root / "imgs.h5"), "--folds", "3", "--quiet"]) == 0
    (root / "cut.h5").write_bytes((root / "imgs.h5").read_bytes()[:2000])
    (root / "begun.h5.partial").write_bytes(b"cut short")
    (root / "broken.head").write_bytes((root / "imgs.head").read_bytes()[:300])
    (root / "m.training").mkdir()
    np.savez(root / "m.training" / "checkpoint.npz",
             told=np.array('{"key": {}, "n_arrays": 0, "n_state": 0}'))
    return root


def extract(images, output, *options):
    return main(["extract", str(images), str(output), "--backbone", "pixels", "--quiet", *options])


@pytest.mark.parametrize(("command", "heading"), PROVOKED)
def test_a_message_comes_out(world, capsys, monkeypatch, command, heading):
    monkeypatch.chdir(world)
    if "small.h5" in command:
        assert extract("imgs", "small.h5", "--canvas", "32", "--overwrite") == 0
    before = sorted(world.iterdir())
    capsys.readouterr()
    code = main(command.split())
    printed = "\n".join(capsys.readouterr())
    assert heading in HEADINGS
    assert says(printed, heading)
    assert code == (0 if command.startswith("info") else 1)
    assert sorted(world.iterdir()) == before
