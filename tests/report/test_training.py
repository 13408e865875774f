"""The parts of the page that a trained network adds."""

import copy
import re
from html import unescape
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest

from plankton_features.report.curve_words import pace, verdict
from plankton_features.report.numbers import decimal
from plankton_features.report.page import render

NAMES = ["Calanus finmarchicus", "Кладоцера", "bubble"]
HOSTILE = ["<img src=x onerror=alert(1)>", "\" onmouseover=\"alert(2)", "</title><b>"]


class Parts(HTMLParser):
    """Text of each section, and all start tags."""

    def __init__(self, page):
        super().__init__()
        self.sections, self.tags, self.inside = {}, [], None
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        attributes = dict(attrs)
        self.tags.append((tag, attributes))
        if tag == "section":
            self.inside = attributes["id"]
            self.sections[self.inside] = ""

    def handle_data(self, data):
        if self.inside:
            self.sections[self.inside] += data


def parts_of(results):
    return Parts(render(results))


def svgs(page):
    return [ElementTree.fromstring(text) for text in re.findall(r"<svg.*?</svg>", page, re.DOTALL)]


def numbers_in(rows):
    return [re.findall(r"<td[^>]*>([^<]*)</td>", row) for row in rows]


@pytest.fixture(scope="module")
def results(make_training):
    return make_training(NAMES)


@pytest.fixture
def mutable(results):
    return copy.deepcopy(results)


def test_the_sections_are_in_order(results):
    assert list(parts_of(results).sections) == [
        "headline", "scores", "curves", "data", "classes", "lineages", "confusions",
        "calibration", "mistakes", "about"]


def test_a_page_without_the_parts_has_none_of_them(make_results):
    page = render(make_results(NAMES)[0])
    for told in ("Learning curves", "Lineages", "The network", "lineage", "--second", "epoch",
                 'class="chart"', "Folder of images"):
        assert told not in page
    for part in ("curves", "network", "taxonomy"):
        for empty in (None, [], {}):
            assert render(make_results(NAMES)[0] | {part: empty}) == page


def test_the_headline_speaks_of_a_network_and_not_of_features(results):
    told = parts_of(results).sections["headline"]
    assert ("The fine-tuned network with square-root resampling, on 15,159 vignettes of 3 classes, "
            "scored on vignettes it had not seen (single split (20 % test, 5 % validation), "
            "stratified).") in told
    assert "Folder of images" in told
    assert "cosine, base rate 0.05" in told
    assert "eatures" not in " ".join(
        parts_of(results).sections.values()).replace("plankton features", "")


@pytest.mark.parametrize(("sampler", "words"), [
    ("none", "no resampling"), ("class-weight", "class weights"),
    ("class-balanced", "class-balanced resampling"), ("square-root", "square-root resampling"),
    ("logit-adjustment", "logit adjustment")])
def test_samplers_have_words(mutable, sampler, words):
    mutable["options"]["sampler"] = sampler
    assert (f"The fine-tuned network with {words}, on 15,159 vignettes"
            in parts_of(mutable).sections["headline"])


def test_limits_without_a_sampler_are_resampling(mutable):
    mutable["options"] |= {"sampler": "none", "floor": 50, "cap": 900}
    assert "network with resampling (floor 50, cap 900), on" in parts_of(
        mutable).sections["headline"]


def test_what_was_done_is_told_for_one_split(mutable):
    mutable["choices"].append({**mutable["choices"][0], "repeat": None, "fold": None})
    told = parts_of(mutable).sections["data"]
    assert "Images: 3,032 scored, 758 for validation, 11,369 to train on." in told
    assert told.count("Epoch 17, temperature 1.12") == 1
    assert not re.search(r"[Ff]old", told)


def test_the_table_has_all_epochs_and_their_numbers(results):
    page = render(results)
    table = page[page.index("<table class=\"sortable sticky epochs\">"):]
    rows = table[table.index("<tbody>"):table.index("</tbody>")].split("</tr>")[:-1]
    shown = numbers_in(rows)
    assert [len(row) for row in shown] == [12] * 20
    first = results["curves"][0]
    assert shown[0][0] == "1"
    assert shown[0][1:3] == [f"{first[n]:.3f}".removeprefix("0") for n in (
        "loss", "validation_loss")]
    assert shown[0][8:] == [".01", "30", "380", "3.1\u202f%"]
    assert [k for k, row in enumerate(rows) if "kept" in row] == [16]


def test_the_drawings_are_well_formed_and_labelled(results):
    charts = [one for one in svgs(render(results)) if one.get("class") == "chart"]
    assert [one.get("viewBox") for one in charts] == ["0 0 400 248"] * 2 + ["0 0 280 248"]
    assert [one.get("aria-label").partition(".")[0] for one in charts] == [
        "Loss: lower is better", "Validation scores: higher is better", "Learning rate"]
    texts = [[e.text for e in one.iter("text")] for one in charts]
    assert {"training", "validation", "phase 1", "phase 2", "epoch 17 kept"} <= set(texts[0])
    assert {"accuracy", "MCC", "macro-F1"} <= set(texts[1])
    first, last = (results["curves"][k]["validation_loss"] for k in (0, -1))
    assert charts[0].get("aria-label").endswith(
        f"validation {first:.3f} in epoch 1 and {decimal(last)} in epoch 20.")


def test_what_is_no_number_is_a_gap_and_a_dash(mutable):
    for k, value in ((7, np.nan), (8, None), (19, np.inf)):
        mutable["curves"][k]["loss"] = value
        mutable["curves"][k]["validation_loss"] = value
    page = render(mutable)
    told = Parts(page).sections["curves"]
    assert "In 3 epochs a value is missing or not a number: lines have a gap there." in told
    assert not re.search(r"\b(nan|NaN|None|inf)\b", told)
    chart = next(one for one in svgs(page) if one.get("class") == "chart")
    assert [e.get("d").count("M") for e in chart.iter("path")
            if e.get("class").startswith("curve")] == [2, 2]
    assert "training –, validation –" in ElementTree.tostring(chart, "unicode")


def test_a_curve_without_values_is_left_out(mutable):
    for row in mutable["curves"]:
        row["loss"] = row["validation_loss"] = None
        del row["waiting"], row["rate"]
    parts = parts_of(mutable)
    assert "Loss: lower" not in parts.sections["curves"]
    assert "waiting" not in parts.sections["curves"]
    assert "Validation scores" in parts.sections["curves"]


@pytest.mark.parametrize(("n", "first", "best"), [(1, 0, 1), (2, 1, 1), (200, 10, 150)])
def test_any_number_of_epochs(make_training, n, first, best):
    page = render(make_training(NAMES, n, first, best))
    assert page.count('class="pointed"') == 3 * n
    told = Parts(page).sections["curves"]
    assert ("Phase 1: " in told) is (first > 0)
    assert f"epoch {best} kept" in told


def epochs(*values, name="mcc"):
    return [{"epoch": k + 1, name: value} for k, value in enumerate(values)]


@pytest.mark.parametrize(("values", "kept", "told"), [
    ((.5, .8, .7, .6), 1, "Validation MCC was best in epoch 2 of 4 (.800), whose weights were "
                          "kept; the last 2 epochs did not improve it."),
    ((.5, .8, .7), 1, "Validation MCC was best in epoch 2 of 3 (.800), whose weights were kept; "
                      "the last epoch did not improve it."),
    ((.5, .8), 1, "Validation MCC was best in epoch 2 of 2 (.800), whose weights were kept; as "
                  "it is the last one, more epochs might improve it further."),
    ((.5, .8, .8), 2, "Validation MCC was best in epoch 3 of 3 (.800), whose weights were kept; "
                      "as it is the last one, more epochs might improve it further."),
    ((.80001, .8, .7), 1, "The weights of epoch 2 of 3 were kept, with a validation MCC of "
                          ".80000; epoch 1 had a better one, .80001."),
    ((.5, None, .4), None, "Validation MCC was best in epoch 1 of 3 (.500)."),
    ((.5,), 0, "There was one epoch; validation MCC after it is .500."),
    ((None, None), 1, "The weights of epoch 2 of 2 were kept."), ((None,), None, ""),
    ((.5, None), 1, "The weights of epoch 2 of 2 were kept, which has no validation MCC.")])
def test_the_sentence_is_true(values, kept, told):
    assert verdict(epochs(*values), kept, "mcc").partition("In 1 epoch")[0].strip() == told


def test_loss_falls():
    rows = epochs(.9, .5, .7, name="validation_loss")
    for metric in ("loss", "validation_loss", "log-loss"):
        assert verdict(rows, 1, metric).startswith(
            "Validation loss was best in epoch 2 of 3 (.500), whose weights were kept; the last "
            "epoch did not improve it.")
    assert "epoch 2 had a better one, .500" in verdict(rows, 0, "validation-loss")


@pytest.mark.parametrize("metric", [None, "", "secret", "best"])
def test_nothing_is_said_of_a_choice_that_is_not_known(metric):
    assert verdict(epochs(.5, .8), 0, metric) == "The weights of epoch 1 of 2 were kept."


def test_the_losses_of_the_kept_epoch_are_told():
    rows = [{"epoch": k, "loss": a, "validation_loss": b} for k, a, b in (
        (1, 2.0, 1.5), (2, 1.0, 1.25), (3, .5, 1.3))]
    assert verdict(rows, 2).endswith("In epoch 3 training loss is .500 and validation loss 1.300; "
                                     "validation loss was lowest in epoch 2 (1.250).")
    assert verdict(rows, 1).endswith("training loss is 1.000 and validation loss 1.250, its "
                                     "lowest.")


def test_the_pace_weighs_epochs_by_their_time():
    rows = [{"seconds": 100.0, "images_per_second": 200.0, "waiting": 0.1},
            {"seconds": 300.0, "images_per_second": 100.0, "waiting": 0.02}]
    assert pace(rows) == ("2 epochs in 7 min, 125 images a second; the network waited for images "
                          "4\u202f% of the time.")
    assert pace([{"seconds": 30.0}]) == "1 epoch in 30 s."
    assert pace([{"seconds": None}]) == ""


def test_epochs_without_good_numbers_are_counted(mutable):
    for row in mutable["curves"]:
        row["epoch"] = 1
    assert "epoch 17 kept" in parts_of(mutable).sections["curves"]


def test_scores_on_the_taxonomy_are_told(results):
    told = parts_of(results).sections["lineages"]
    for text in ("hierarchical precision", ".874", ".854 – .894", "right lineage, other depth",
                 ".014", "kingdom", ".962", "Calanus finmarchicus → Metazoa → Eukaryota"):
        assert text in told
    assert "nan" not in told.lower()
    assert "None" not in told


def test_lineages_show_where_classes_are_listed(results):
    titles = [a["title"] for tag, a in parts_of(results).tags
              if tag == "th" and a.get("class") == "name" and "title" in a]
    assert titles == [f"{name} → Metazoa → Eukaryota" for name in NAMES[:2]] + [NAMES[2]]


@pytest.mark.parametrize("missing", ["precision", "ranks", "lineages"])
def test_a_taxonomy_may_be_incomplete(mutable, missing):
    mutable["taxonomy"][missing] = None
    told = parts_of(mutable).sections["lineages"]
    assert "None" not in told
    assert "hierarchical recall" in told


def named(make_training, names, hostile):
    results = make_training(names)
    results["taxonomy"]["lineages"] = {n: f"{n} -> {hostile} -> root" for n in names}
    results["taxonomy"]["ranks"][0]["rank"] = hostile
    results["network"] = {hostile: hostile}
    results["curves"][0]["phase"] = hostile
    return results


def test_text_is_never_markup(make_training):
    bad, tame = (Parts(render(named(make_training, names, one))) for names, one in (
        (HOSTILE, "<script>alert(3)</script>"), (["a", "b", "c"], "tame")))
    kinds, expected = ([(tag, sorted(a)) for tag, a in page.tags if tag != "wbr"]
                       for page in (bad, tame))
    assert kinds == expected
    assert "<script>alert(3)</script>" in bad.sections["headline"]
    assert f"{HOSTILE[0]} → <script>alert(3)</script> → root" in bad.sections["lineages"]
    assert unescape(HOSTILE[1]) in bad.sections["lineages"]
