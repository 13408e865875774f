import base64
import copy
import hashlib
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from plankton_features.errors import InputError
from plankton_features.report import collect_pictures, write_report
from plankton_features.report.page import render

NAMES = ["Calanus finmarchicus", "Кладоцера", "bubble"]
HOSTILE = ["<img src=x onerror=alert(1)>", "</script><script>alert(2)</script>",
           "\" onmouseover=\"alert(3)", "{{ 7 * 7 }}", "a & b", "  ", "</style><b>"]
OPTIONAL = ["living", "abstention", "optimism", "comparison", "calibration", "scores", "baselines",
            "per_class", "confusion", "folds", "choices", "sampling", "features", "options",
            "warnings", "seconds", "versions", "command", "created"]
VOID = {"meta", "link", "br", "wbr", "img", "input"}


class Outline(HTMLParser):
    """Elements, their attributes, and whether all are closed in turn."""

    def __init__(self, text):
        super().__init__()
        self.open, self.elements, self.texts = [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append((self.open[-1] if self.open else "", data))

    def text(self):
        return "".join(data for tag, data in self.texts if tag not in ("script", "style"))

    def ids(self):
        return [attributes["id"] for _, attributes in self.elements if "id" in attributes]


@pytest.fixture(scope="module")
def three(make_results):
    return make_results(NAMES)


def test_the_page_has_every_section(three):
    page = Outline(render(three[0], collect_pictures(three[1], None)))
    sections = [a["id"] for tag, a in page.elements if tag == "section"]
    assert sections == ["headline", "scores", "data", "classes", "confusions", "calibration",
                        "abstention", "comparison", "optimism", "mistakes", "about"]
    links = {a["href"][1:] for tag, a in page.elements
             if tag == "a" and a.get("href", "").startswith("#")}
    assert links <= set(page.ids())
    assert len(set(page.ids())) == len(page.ids())


def test_labels_point_at_something(three):
    page = Outline(render(three[0]))
    named = {a[key] for _, a in page.elements for key in ("aria-labelledby", "aria-describedby",
                                                          "for") if key in a}
    assert named <= set(page.ids())
    assert all("alt" in a for tag, a in page.elements if tag == "img")
    assert sum(tag == "caption" for tag, _ in page.elements) == sum(
        tag == "table" for tag, _ in page.elements)
    assert all(a.get("aria-label") or a.get("aria-hidden") for tag, a in page.elements
               if tag == "svg")


def test_numbers_are_told(three):
    results = copy.deepcopy(three[0])
    results["scores"]["macro_f1"] = {"estimate": 0.55321, "low": 0.5408, "high": 0.5652}
    results["features"]["rows"] = 15159
    text = Outline(render(results)).text()
    assert ".553" in text
    assert "95 %: .541 – .565" in text
    assert "15,159 vignettes of 3 classes" in text
    for warning in results["warnings"]:
        assert warning in text
    assert results["comparison"]["recommendation"] in text
    assert results["optimism"]["sentence"] in text


@pytest.mark.parametrize("missing", OPTIONAL)
@pytest.mark.parametrize("how", ["null", "absent"])
def test_a_missing_part_is_left_out(three, missing, how):
    results = copy.deepcopy(three[0])
    results[missing] = None
    if how == "absent":
        del results[missing]
    text = Outline(render(results, collect_pictures(three[1], None))).text()
    assert "None" not in text
    assert not re.search(r"\bnan\b", text, re.IGNORECASE)


def test_classes_alone_make_a_page():
    text = Outline(render({"classes": ["a", "b"]})).text()
    assert "None" not in text
    assert "2 classes" in text


@pytest.mark.parametrize("results", [{}, {"classes": []}, {"classes": None}])
def test_no_classes_is_refused(results):
    with pytest.raises(InputError, match="list of classes"):
        render(results)


def emptied(value):
    if isinstance(value, dict):
        return {key: emptied(item) for key, item in value.items()}
    if isinstance(value, list):
        return [emptied(item) for item in value]
    return np.nan if isinstance(value, float) else value


def test_numbers_without_value_are_dashes(three):
    results = emptied(three[0])
    text = Outline(render(results)).text()
    assert not re.search(r"\b(nan|NaN|None|inf)\b", text)
    assert "–" in text


def test_one_fold_and_two_classes(make_results):
    results, frame = make_results(["a", "b"], 40)
    results["folds"] = {"kind": "one split", "n_groups": None, "repeats": 1, "rows": [8],
                        "missing": []}
    results["choices"] = [{"repeat": 0, "fold": 0, "parameters": {}, "candidates": [],
                           "temperature": None}]
    text = Outline(render(results, collect_pictures(frame, None))).text()
    assert "one split" in text
    assert "none: images of one tow may be on both sides" in text


def page_of(make_results, names, path, warning, command, picture):
    results, frame = make_results(names, 200)
    results["features"]["path"], results["warnings"] = path, [warning]
    results["command"] = command
    frame["path"] = [f"{i}{picture}" for i in range(len(frame))]
    return results, Outline(render(results, collect_pictures(frame, None)))


@pytest.fixture(scope="module")
def hostile(make_results):
    return page_of(make_results, HOSTILE, "<b>out.h5", "<script>alert(4)</script>",
                   "fit-head '<i>'", "<u>\u2028.png")


def test_names_are_never_markup(hostile, make_results):
    tame = page_of(make_results, [f"c{k}" for k in range(len(HOSTILE))], "out.h5", "warning",
                   "fit-head", ".png")[1]
    kinds, expected = ([(tag, sorted(a)) for tag, a in page.elements if tag != "wbr"]
                       for page in (hostile[1], tame))
    assert kinds == expected


def test_names_are_shown_as_they_are(hostile):
    results, page = hostile
    shown = page.text()
    for name in (*HOSTILE, "<script>alert(4)</script>", "<b>out.h5", "fit-head '<i>'"):
        assert name in shown or not name.strip()
    assert "(no name)" in shown
    payload = next(data for tag, data in page.texts if tag == "script")
    assert json.loads(payload)["classes"] == results["classes"]
    assert "<" not in payload


def test_the_policy_allows_this_script_and_style_only(three):
    page = Outline(render(three[0]))
    policy = next(a["content"] for tag, a in page.elements
                  if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; img-src data:;")
    assert "unsafe" not in policy
    for kind, tag in (("script-src", "script"), ("style-src", "style")):
        text = [data for name, data in page.texts if name == tag][-1]
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{kind} 'sha256-{digest}'" in policy
    assert not [a for _, a in page.elements if "style" in a]


def test_nothing_is_fetched(three, vignettes_of):
    page = Outline(render(three[0], collect_pictures(three[1], vignettes_of(three[1]))))
    sources = [a[key] for tag, a in page.elements for key in ("src", "href", "srcset", "action")
               if key in a and tag != "a"]
    assert sources
    assert all(source.startswith("data:") for source in sources)
    assert {a["href"].split("/")[2] for tag, a in page.elements if tag == "a"
            and not a["href"].startswith("#")} == {"doi.org", "arxiv.org"}


def test_why_there_are_no_pictures_is_told(three):
    results, frame = three
    without = Outline(render(results, collect_pictures(frame, "/nowhere"))).text()
    assert "The images were not found in /nowhere" in without
    assert "--images FOLDER" in without
    assert collect_pictures(frame, None).rows[0].path in without
    assert "written without vignettes" in Outline(render(results)).text()
    absolute = frame.assign(path="/elsewhere/" + frame["path"])
    outside = Outline(render(results, collect_pictures(absolute, "/nowhere"))).text()
    assert "The paths lead out of /nowhere, and what lies outside of it is not shown" in outside


def test_of_vectors_of_an_array_no_empty_recipe_is_told(three):
    results, frame = three
    empty = {"recipe": {}, "recipe_id": "", "engine": "", "weights_source": "", "precision": ""}
    text = Outline(render({**results, "features": {"path": "", "rows": 9, "values": 12, **empty}},
                          collect_pictures(frame, None))).text()
    assert "recipe id" not in text
    assert "precision" not in text.split("Recipe of the features")[1].split("Options")[0]
    assert "12" in text.split("Recipe of the features")[1].split("Options")[0]


def test_the_wall_shows_pictures_and_paths(three, vignettes_of):
    results, frame = three
    pictures = collect_pictures(frame, vignettes_of(frame), most_mistakes=3)
    page = Outline(render(results, pictures))
    images = [a for tag, a in page.elements if tag == "img"]
    assert [a["src"] for a in images] == [row.image for row in pictures.rows[:3]]
    assert [a["alt"] for a in images] == [f"Vignette {row.path}" for row in pictures.rows[:3]]


def test_few_classes_have_a_plain_table(three, make_results):
    def tables(results):
        return [a.get("class", "") for tag, a in Outline(render(results)).elements
                if tag == "table"]

    assert "crosstab sticky" in tables(three[0])
    assert "crosstab sticky" not in tables(make_results([f"c{k}" for k in range(31)], 300)[0])


def test_a_page_of_121_classes_is_not_large(make_results, vignettes_of, tmp_path):
    results, frame = make_results([f"taxon_{k:03}_of_some_length" for k in range(121)], 3000)
    write_report(results, tmp_path / "r.html", collect_pictures(frame, vignettes_of(frame[:0])))
    assert (tmp_path / "r.html").stat().st_size < 1_500_000
    page = Outline((tmp_path / "r.html").read_text(encoding="utf-8"))
    assert sum("data-row" in a for _, a in page.elements) == 121


def test_half_a_surrogate_pair_can_be_written(three, tmp_path):
    results = copy.deepcopy(three[0])
    results["classes"][2] = results["per_class"][2]["class"] = "half \udc80"
    write_report(results, tmp_path / "r.html")
    assert "half \\udc80" in (tmp_path / "r.html").read_text(encoding="utf-8")
