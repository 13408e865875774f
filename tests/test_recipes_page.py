"""docs/recipes.md tells of what there is, and README quotes it rightly."""

import re
from pathlib import Path

import pytest

from plankton_features.embedding import PRESETS, get_backbone
from plankton_features.heads.classifiers import CLASSIFIERS
from plankton_features.heads.sampling import SAMPLERS, make_sampler

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docs" / "recipes.md").read_text(encoding="utf-8")
VIEWS = {None: "", "rot4": "quarter turns", "d4": "mirror images"}


def rows(text, title=""):
    """Lines of the tables below a heading."""
    part = text.split(f"\n## {title}\n")[1].split("\n## ")[0] if title else text
    return re.findall(r"^\| `.*$", part, re.MULTILINE)


def numbers(line):
    """Figures of a line, such as .553 and 565; those of a recipe (128 px) left out."""
    return set(re.findall(r"(?<![\w.])(?:\d*\.)?\d+(?! ?px)(?![\w.])", line))


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_what_they_are(name):
    found = [line for line in rows(TEXT, "Presets") if line.startswith(f"| `{name}`")]
    assert found
    preset = PRESETS[name]
    backbones = (["efficientnet_lite0", "inception_v3"] if preset["backbone"] == "auto"
                 else [preset["backbone"]])
    assert len(found) == len(backbones)
    for line, backbone in zip(found, backbones, strict=True):
        canvas = preset.get("canvas", get_backbone(backbone).defaults["canvas"])
        assert f"{canvas} px" in line
        assert VIEWS[preset.get("views")] in line


def test_the_readme_quotes_what_is_here():
    lines = rows((ROOT / "README.md").read_text(encoding="utf-8"))
    quoted = [line for line in lines if line.split("`")[1] in PRESETS
              and re.search(r"\.\d{3}\b", line)]
    assert quoted
    for line in quoted:
        name = line.split("`")[1]
        here = set().union(*map(numbers, (one for one in rows(TEXT, "Presets")
                                          if one.startswith(f"| `{name}`"))))
        assert numbers(line) <= here, line


def test_samplers_and_classifiers_are_there():
    compared = [line.split("`")[1] for line in rows(TEXT, "Samplers")]
    assert len(compared) > 3
    for name in compared:
        assert name in SAMPLERS or make_sampler(name)
    fitted = {line.split("`")[1] for line in rows(TEXT, "Classifiers")}
    assert fitted == set(CLASSIFIERS)
