import re
from itertools import combinations
from xml.etree import ElementTree

import numpy as np
import pytest

from plankton_features.report.axes import epoch_ticks, scale_of
from plankton_features.report.curve_drawing import Epochs, Line, curve_chart, spaced

NAN = None
LETTER = 7.0


def draw(lines, phases=None, kept=None, width=400, log_from=float("inf")):
    n = len(lines[0].values)
    names = phases or ["phase 1"] * n
    epochs = Epochs(range(1, n + 1), names, kept, [f"Epoch {k + 1}" for k in range(n)])
    text = str(curve_chart(lines, epochs, "a <label> & more", width, log_from))
    return ElementTree.fromstring(text)


def of_class(tree, name):
    return [e for e in tree.iter() if name in e.get("class", "").split()]


def paths(tree):
    return [e.get("d") for e in of_class(tree, "curve")]


def box(text):
    """Left, top, right, bottom of a text of 12 px."""
    x, y, wide = float(text.get("x")), float(text.get("y")), LETTER * len(text.text)
    left = {"middle": x - wide / 2, "end": x - wide}.get(text.get("text-anchor"), x)
    return left, y - 9, left + wide, y + 3


def overlapping(tree):
    boxes = [(e.text, box(e)) for e in tree.iter("text")]
    return [(a, b) for (a, p), (b, q) in combinations(boxes, 2)
            if p[0] < q[2] and q[0] < p[2] and p[1] < q[3] and q[1] < p[3]]


def random_lines(n, seed):
    rng = np.random.default_rng(seed)
    ends = rng.uniform(0.6, 0.61, 3) if seed % 2 else rng.uniform(0, 1, 3)
    rise = 1 - np.exp(-4 * np.arange(1, n + 1) / n)
    return [Line(name, look, list(end * rise)) for end, name, look in zip(
        ends, ("accuracy", "MCC", "macro-F1"), ("second", "third", "first"), strict=True)]


@pytest.mark.parametrize("n", [1, 2, 3, 7, 20, 33, 200, 1000])
@pytest.mark.parametrize("seed", range(6))
def test_no_text_lies_on_another_or_outside(n, seed):
    first = [0, 1, n // 4, n // 2, n - 1, n][seed]
    phases = ["phase 1"] * first + ["phase 2"] * (n - first)
    for width, lines in ((400, random_lines(n, seed)), (280, [Line("", "plain", [0.01] * n)])):
        tree = draw(lines, phases, kept=[0, n // 2, n - 1][seed % 3], width=width)
        assert overlapping(tree) == []
        for text in tree.iter("text"):
            left, top, right, bottom = box(text)
            assert -1 <= left < right <= width + 1, text.text
            assert 0 <= top < bottom <= 248


def test_a_label_is_text():
    assert draw([Line("<b>", "first", [1.0, 2.0])]).get("aria-label") == "a <label> & more"
    assert "<b>" in [e.text for e in draw([Line("<b>", "first", [1.0, 2.0])]).iter("text")]


def test_points_are_where_their_values_are():
    tree = draw([Line("a", "first", [0.0, 1.0, 0.5])])
    (x0, y0), (x1, y1), (x2, y2) = (map(float, pair.split()) for pair in paths(tree)[0][1:].split(
        "L"))
    assert x1 - x0 == pytest.approx(x2 - x1, abs=0.2)
    assert (y0, y1) == (204, 22)
    assert y2 == pytest.approx((y0 + y1) / 2, abs=0.1)


@pytest.mark.parametrize(("values", "sizes"), [
    ([1.0, 2.0, NAN, 2.0, 1.0, 2.0], [2, 3]), ([NAN, 1.0, 2.0, NAN], [2]),
    ([1.0, NAN, 2.0], []), ([1.0], []), ([NAN, NAN], [])])
def test_a_missing_value_leaves_a_gap(values, sizes):
    tree = draw([Line("a", "first", values)])
    runs = [run for path in paths(tree) for run in path.split("M")[1:]]
    assert [run.count("L") + 1 for run in runs] == sizes
    assert len(of_class(tree, "spot")) == sum(v is not None for v in values)
    assert not re.search("nan|None|inf", ElementTree.tostring(tree, "unicode"))


def test_a_lone_value_between_gaps_is_seen_among_many():
    values = [1.0] * 50 + [NAN, 2.0, NAN] + [1.0] * 50
    assert len(of_class(draw([Line("a", "first", values)]), "spot")) == 1


@pytest.mark.parametrize("n", [1, 2, 20, 200])
def test_one_epoch_and_many_have_their_marks(n):
    lines = random_lines(n, 1)
    tree = draw(lines, ["phase 1"] * (n // 4) + ["phase 2"] * (n - n // 4), kept=n - 1)
    assert len(of_class(tree, "ring")) == 3
    assert [e.text for e in of_class(tree, "kept-text")] == [f"epoch {n} kept"]
    assert len(of_class(tree, "divide")) == (n // 4 > 0)
    assert [e.text for e in of_class(tree, "end")] == ["accuracy", "MCC", "macro-F1"]
    assert [e.find("title").text for e in of_class(tree, "pointed")] == [
        f"Epoch {k + 1}" for k in range(n)]


def test_the_phases_part_between_their_epochs():
    tree = draw(random_lines(20, 0), ["phase 1"] * 5 + ["phase 2"] * 15)
    x = float(of_class(tree, "divide")[0].get("x1"))
    points = [float(pair.split()[0]) for pair in paths(tree)[0][1:].split("L")]
    assert points[4] < x < points[5]
    assert x == pytest.approx((points[4] + points[5]) / 2, abs=0.2)


@pytest.mark.parametrize(("values", "log_from", "texts"), [
    ([0.31, 1.92, NAN], 1e3, "0 .5 1.0 1.5 2.0"), ([0.7, 0.745], 1e3, ".70 .72 .74 .76"),
    ([0.0, 0.0], 1e3, "0 .2 .4 .6"), ([], 1e3, "0 .5 1.0"), ([-0.1, 0.9], 1e3, "−.5 0 .5 1.0"),
    ([0.05, 1e-6], 10, "1e−6 1e−5 .0001 .001 .01"), ([0.05, 0.004], 10, ".005 .01 .02 .05"),
    ([0.05, 0.0], 10, "0 .02 .04 .06"), ([1e-5, 2e-5], 10, "1e−5 1.5e−5 2e−5"),
    ([0.05, 1e-12], 10, "1e−12 1e−9 1e−6 .001"), ([4.0, 1e6], 1e3, "10 1e3 1e5"),
    ([3e5, 2e6], 1e3, "0 5e5 1e6 1.5e6 2e6")])
def test_ticks_are_round_and_hold_all_values(values, log_from, texts):
    scale = scale_of(values, log_from)
    assert " ".join(text for _, text in scale.ticks) == texts
    assert all(-1e-9 <= scale.share(value) <= 1 + 1e-9
               for value in (*(v for v, _ in scale.ticks), *filter(None, values)))


@pytest.mark.parametrize(("values", "is_log"), [
    ([0.05, 0.004], True), ([0.05, 0.006], False), ([0.05, 0.0], False), ([0.05], False)])
def test_rates_over_more_than_a_decade_are_on_a_log_scale(values, is_log):
    assert scale_of(values, 10).logarithmic is is_log


@pytest.mark.parametrize("last", [*range(1, 130), 200, 999, 1000])
def test_epoch_ticks_are_few_and_apart(last):
    ticks = epoch_ticks(1, last)
    assert 1 <= len(ticks) <= 7
    assert ticks == sorted(set(ticks))
    assert ticks[0] <= 2 or last > 60
    assert ticks[-1] <= last
    assert last - ticks[-1] <= max(1, last // 3)


def test_names_move_no_more_than_they_must():
    rng = np.random.default_rng(0)
    for _ in range(200):
        wanted = rng.uniform(20, 200, 4)
        found = spaced(list(wanted), 15, 20, 200)
        order = np.argsort(wanted)
        assert (np.diff(np.array(found)[order]) >= 15 - 1e-9).all()
        assert min(found) >= 20 - 1e-9
        assert max(found) <= 200 + 1e-9
        if (np.diff(wanted[order]) >= 15).all():
            assert found == pytest.approx(list(wanted))
