import re

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from plankton_features.assessment.calibration.report import describe_calibration
from plankton_features.errors import InputError
from plankton_features.report import (
    show_comparison,
    show_confidences,
    show_curves,
    show_reliability,
    show_vignettes,
)


def report(confidence, n=400):
    y = np.arange(n) % 2
    return describe_calibration(y, None, np.tile([confidence, 1 - confidence], (n, 1)))


def test_what_is_shown_brings_its_style_and_lets_none_of_it_out():
    html = show_reliability(before=report(0.9))._repr_html_()
    style = re.fullmatch(r'<div class="plankton-shown"><style>(.*)</style>.*</div>', html,
                         re.DOTALL)[1]
    assert style.startswith(start := ".plankton-shown.plankton-shown {")
    assert style.count("{") == style.count("}")
    depth = np.cumsum([{"{": 1, "}": -1}.get(sign, 0) for sign in style])
    assert (depth[len(start):-1] > 0).all()
    given = set(re.findall(r"(--[a-z]+):", style))
    assert set(re.findall(r"var\((--[a-z]+)\)", style)) - given == {"--side"}
    assert "<script" not in html


def test_each_diagram_has_its_name_and_verdict():
    shown = show_reliability(before=report(0.9), after_correction=report(0.5)).html
    assert re.findall(r"<b>(.*?)</b><br>([^:<]*)", shown) == [
        ("before", "Over-confident"), ("after correction", "No gap was shown")]
    assert shown.count('class="diagram"') == 2


def test_confidences_are_bars_and_an_outline():
    shown = show_confidences(report(0.9), report(0.52)).html
    assert shown.count('class="outline"') == 1
    assert "confidence .500 – .550: 400 images" in shown


def test_curves_are_drawn_and_told(make_training):
    shown = show_curves(make_training(["a", "b"])["curves"]).html
    assert shown.count('class="chart"') == 3
    assert "Validation MCC was best in epoch 17 of 20" in shown
    assert "Phase 1: " in shown


def test_curves_of_a_table_are_those_of_its_rows():
    rows = [{"epoch": 1, "accuracy": 0.4}, {"epoch": 2, "accuracy": 0.6, "best": True},
            {"epoch": 3, "accuracy": 0.5}]
    assert show_curves(pd.DataFrame(rows), "accuracy") == show_curves(rows, "accuracy")
    assert "was best in epoch 2 of 3" in show_curves(pd.DataFrame(rows), "accuracy").html


@pytest.mark.parametrize("metric", ["mcc", "beauty", ""])
def test_a_score_that_no_epoch_has_is_refused_with_those_there_are(metric):
    rows = [{"epoch": 1, "accuracy": 0.4, "macro_f1": 0.2, "rate": 0.1}]
    with pytest.raises(InputError, match=f"the score '{metric}'.* one of: accuracy, macro_f1\\."):
        show_curves(rows, metric)
    with pytest.raises(InputError, match=r"a mapping for each epoch, .* got str"):
        show_curves("results.json")


def test_one_path_is_one_vignette(tmp_path):
    Image.fromarray(np.full((20, 50), 200, np.uint8)).save(tmp_path / "a.png")
    shown = show_vignettes(tmp_path / "a.png", "one")
    assert shown.html.count("<figure>") == 1
    assert shown == show_vignettes([str(tmp_path / "a.png")], ["one"])
    assert show_vignettes("a.png", None, folder=tmp_path) == show_vignettes(
        ["a.png"], [], folder=tmp_path)


def test_a_comparison_is_a_table_that_needs_no_script(make_results):
    shown = show_comparison(make_results(["a", "b"])[0]["comparison"]).html
    assert re.findall(r'<th scope="row" class="name">([^<]*)', shown) == [
        "none", "random-over", "smote", "near-miss"]
    assert "Use random-over: as good as any here, and the simplest." in shown
    assert shown.count('class="track wide"') == 3
    assert "<button" not in shown
    with pytest.raises(InputError, match="expected rows of two or more ways"):
        show_comparison({"rows": []})


def test_vignettes_stand_side_by_side_with_what_is_said_of_them(tmp_path):
    Image.fromarray(np.full((20, 50), 200, np.uint8)).save(tmp_path / "a&b.png")
    shown = show_vignettes(["a&b.png", "gone.png"], ["<b>one", "two"], folder=tmp_path,
                           side=64).html
    assert re.findall(r"<figcaption>(.*?)</figcaption>", shown) == ["&lt;b&gt;one", "two"]
    assert 'width="64" height="64" alt="a&amp;b.png"' in shown
    assert shown.count("data:image/webp") == 1
    assert '<span class="none">no such file</span>' in shown


def test_a_folder_that_is_given_holds_all_that_is_shown(tmp_path):
    for name in ("a", "imgs/b"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.fromarray(np.full((20, 50), 200, np.uint8)).save(tmp_path / f"{name}.png")
    paths = ["b.png", tmp_path / "imgs" / "b.png", "../a.png", tmp_path / "a.png"]
    shown = show_vignettes(paths, folder=tmp_path / "imgs").html
    assert shown.count("data:image/webp") == 2
    assert shown.count("not shown: it lies outside of the folder of the images") == 2
    assert show_vignettes(paths[1:2] + paths[3:]).html.count("data:image/webp") == 2


def test_what_cannot_be_shown_is_refused():
    with pytest.raises(InputError, match="captions: expected one for each of 2 pictures, got 1"):
        show_vignettes(["a", "b"], ["one"])
    with pytest.raises(InputError, match="expected one or more reports"):
        show_reliability()
    for side in (7, -1, 10**6, 20.5, "big"):
        with pytest.raises(InputError, match="side: expected a whole number of px, 8 to 1000"):
            show_vignettes(["a"], side=side)
    with pytest.raises(InputError, match="expected one or more epochs"):
        show_curves([])
