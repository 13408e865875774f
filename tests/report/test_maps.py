"""The map of vignettes, also in a real browser: where one points, the picture shows."""

import hashlib
import re
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from plankton_features.errors import InputError
from plankton_features.report import maps, vignette_map
from plankton_features.report.map_drawing import look_of
from plankton_features.report.map_places import Window, spread_out

TAXA = ("Calanus finmarchicus", "<img src=x onerror=alert(1)>", "Кладоцера")


def features_of(folder, n, taxa=TAXA, seed=0):
    """What the map reads of a feature file, of n pictures of which the last is missing."""
    rng = np.random.default_rng(seed)
    rows = []
    for k in range(n):
        width, height = (int(v) for v in rng.integers(16, 90, 2))
        rows.append((f"{k:04}.png", taxa[k % len(taxa)], width, height))
        if k < n - 1:
            Image.fromarray(rng.integers(0, 256, (height, width), np.uint8)).save(
                folder / rows[-1][0])
    images = pd.DataFrame(rows, columns=["path", "label", "width", "height"])
    return SimpleNamespace(images=images, attributes={"images": str(folder)}, recipe={})


def data_of(drawn, kind):
    """Rows of all glyphs of a kind, by path."""
    found = [glyph.data_source.data for glyph in drawn.figure.renderers
             if type(glyph.glyph).__name__ == kind]
    return pd.concat([pd.DataFrame(dict(one)) for one in found]).set_index("path")


@pytest.fixture(scope="module")
def spread(tmp_path_factory):
    """60 vignettes on a grid, far enough from each other."""
    folder = tmp_path_factory.mktemp("vignettes")
    return vignette_map(features_of(folder, 60), np.indices((10, 6)).reshape(2, -1).T)


def test_vignettes_keep_their_proportions(spread):
    drawn = data_of(spread, "ImageURL")
    assert len(drawn) == 59
    assert np.allclose(drawn["w"] / drawn["h"], drawn["width"] / drawn["height"])
    assert (drawn[["w", "h"]].max(axis=1) == 40).all()
    assert drawn["image"].str.startswith("data:image/webp;base64,").all()


def test_what_cannot_be_read_is_a_bare_dot_and_told(spread):
    bare = data_of(spread, "Scatter")
    assert bare[bare["image"] == ""].index.tolist() == ["0059.png"]
    assert spread.note == ("59 of 60 vignettes are drawn; dots: 1 without a picture (1 could not "
                           "be read).")


def test_of_those_that_lie_on_each_other_one_is_drawn(tmp_path):
    drawn = vignette_map(features_of(tmp_path, 31), np.zeros((31, 2)))
    assert drawn.note.startswith("1 of 31 vignettes are drawn; dots: 29 that would lie on")
    assert len(data_of(drawn, "Rect")) == 1


def test_pictures_are_limited_and_the_drawn_ones_come_first(tmp_path, monkeypatch):
    features, xy = features_of(tmp_path, 40), np.random.default_rng(0).normal(size=(40, 2))
    few = vignette_map(features, xy, most=10)
    assert few.note == "10 of 40 vignettes are drawn; dots: 30 without a picture."
    monkeypatch.setattr(maps, "_MOST_CHARACTERS", 1000)
    assert vignette_map(features, xy).note.startswith("1 of 40")


@pytest.mark.parametrize("n", [1, 6, 121])
def test_any_number_of_taxa(tmp_path, n):
    taxa = [f"taxon {k}" for k in range(n)]
    drawn = vignette_map(features_of(tmp_path, 2 * n + 1, taxa), np.ones((2 * n + 1, 2)))
    legend = drawn.figure.right[0]
    assert [item.label.value for item in legend.items][:2] == ["taxon 0 (3)", "taxon 1 (2)"][:n]
    assert len({look_of(k) for k in range(n)}) == len(legend.items) == n
    assert legend.click_policy == "hide"


def test_what_does_not_fit_is_refused(tmp_path, monkeypatch):
    features = features_of(tmp_path, 4)
    for xy in (np.zeros((3, 2)), np.zeros((4, 3)), [[0, 1], [2]], ["a"], np.full((4, 2), np.nan)):
        with pytest.raises(InputError, match="expected a finite place for each of 4 rows"):
            vignette_map(features, xy)
    for gone in (tmp_path / "gone", None):
        features.attributes["images"] = gone and str(gone)
        with pytest.raises(InputError, match=r"the images are not at .+ Pass images="):
            vignette_map(features, np.zeros((4, 2)))
    assert vignette_map(features, np.zeros((4, 2)), tmp_path).note.startswith("1 of 4 ")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(InputError, match=r'pip install "plankton_features\[notebooks\]"'):
        vignette_map(features, np.zeros((4, 2)), tmp_path)


def test_it_is_said_what_is_wrong_with_places_and_numbers(tmp_path):
    features, xy = features_of(tmp_path, 4), np.zeros((4, 2))
    for how in ({"most": -1}, {"width": 0}, {"height": -5}, {"width": 300.5}):
        with pytest.raises(InputError, match=f"map: {next(iter(how))}: expected a whole number"):
            vignette_map(features, xy, **how)
    xy[1, 0] = np.nan
    with pytest.raises(InputError, match="NaN or infinity in 1 of them"):
        vignette_map(features, xy)
    features.images = features.images[:0]
    with pytest.raises(InputError, match="there is no row"):
        vignette_map(features, np.zeros((0, 2)))


def test_a_folder_without_any_of_the_pictures_is_told(tmp_path):
    features = features_of(tmp_path, 4)
    (tmp_path / "other").mkdir()
    with pytest.raises(InputError, match=r"none of 4 pictures .*no such file.* Pass images="):
        vignette_map(features, np.zeros((4, 2)), tmp_path / "other")
    assert vignette_map(features, np.zeros((4, 2)), most=0).note.startswith("0 of 4")


def test_no_picture_from_elsewhere_and_none_of_another_content(tmp_path):
    (tmp_path / "imgs").mkdir()
    features, xy = features_of(tmp_path, 5), np.indices((5, 1)).reshape(2, -1).T
    contents = [(tmp_path / path).read_bytes() for path in features.images["path"][:4]]
    features.images["sha256"] = [hashlib.sha256(c).hexdigest() for c in contents] + [""]
    (tmp_path / "0001.png").write_bytes(contents[0])
    drawn = data_of(vignette_map(features, xy), "ImageURL")
    assert sorted(drawn.index) == ["0000.png", "0002.png", "0003.png"]
    features.images["path"] = [f"../{path}" for path in features.images["path"]]
    features.attributes["images"] = str(tmp_path / "imgs")
    with pytest.raises(InputError, match=r"none of 5 pictures .*outside of the folder"):
        vignette_map(features, xy)
    table = tmp_path / "imgs" / "own.csv"
    table.write_text("path\n../0000.png\n", encoding="utf-8")
    assert data_of(vignette_map(features, xy, table), "ImageURL").index.tolist() == ["../0000.png"]


def test_boxes_that_come_first_do_not_overlap():
    rng = np.random.default_rng(3)
    places, sizes = rng.uniform(0, 300, (400, 2)), rng.uniform(5, 40, (400, 2))
    order, n_apart = spread_out(places, sizes)
    assert sorted(order) == list(range(400))
    low, high = (places + sign * sizes / 2 for sign in (-1, 1))

    def overlap(a, b):
        return (np.minimum(high[a], high[b]) > np.maximum(low[a], low[b])).all(axis=-1)

    first, rest = order[:n_apart], order[n_apart:]
    pairs = overlap(first[:, None], first[None])
    assert pairs.sum() == n_apart
    assert overlap(rest[:, None], first[None]).any(axis=1).all()


def test_the_window_holds_every_place_in_one_scale():
    places = np.array([[0.0, 0.0], [8.0, 2.0]])
    window = Window.around(places, 880, 480)
    (left, right), (low, high) = window.ends()
    assert (right - left) / 880 == pytest.approx((high - low) / 480)
    assert (left, right) == pytest.approx((-0.4, 8.4))
    assert low < 0 < 2 < high


def test_a_notebook_shows_it_in_a_frame_of_its_own(spread, tmp_path):
    html = spread._repr_html_()
    assert re.match(r'<iframe srcdoc="&lt;!DOCTYPE html&gt;', html)
    assert "<script" not in html
    assert "0059.png" not in repr(spread)
    spread.save(tmp_path / "map.html")
    page = (tmp_path / "map.html").read_text(encoding="utf-8")
    assert TAXA[1] not in page


#: Elements of a kind, in shadow trees too.
ALL = """(() => {const all = (root, kind) => [...root.querySelectorAll('*')].flatMap(e => [
  ...(e.matches(kind) ? [e] : []), ...(e.shadowRoot ? all(e.shadowRoot, kind) : [])]);
  window.all = kind => all(document, kind); return 1})()"""
#: Pixels of the first vignette of each taxon on the page, with its path.
FIRST = """(() => {const view = [...Bokeh.index.roots].find(v => v.model.type === 'Figure');
  const box = view.canvas_view.el.getBoundingClientRect();
  return view.model.renderers.filter(r => r.glyph.type === 'Rect').map(r => {
    const data = r.data_source.data;
    return {path: data.path[0], label: data.label[0],
            x: box.x + view.frame.x_scale.compute(data.x[0]),
            y: box.y + view.frame.y_scale.compute(data.y[0])}})})()"""


@pytest.fixture
def page(browser, spread, tmp_path):
    spread.save(tmp_path / "map.html")
    browser.js("1")
    browser.events.clear()
    browser.open(tmp_path / "map.html")
    browser.until("window.Bokeh && Bokeh.index && [...Bokeh.index.roots].length > 0")
    browser.js(ALL)
    return browser


def point_at(page, spot):
    for shift in (-3, 0):
        page.call("Input.dispatchMouseEvent", type="mouseMoved", x=spot["x"] + shift,
                  y=spot["y"])
    page.until("all('.bk-Tooltip').some(e => e.shadowRoot.textContent.includes("
               f"'{spot['path']}') && e.getBoundingClientRect().width > 0)")


def test_pointing_at_a_vignette_shows_its_picture(page):
    for spot in page.js(FIRST):
        point_at(page, spot)
        shown = "all('.bk-Tooltip').find(e => e.getBoundingClientRect().width > 0)"
        image = f"{shown}.shadowRoot.querySelector('img')"
        page.until(f"{image}.complete && Math.max({image}.naturalWidth, {image}.naturalHeight) "
                   "=== 144")
        assert page.js(f"{shown}.shadowRoot.querySelector('b').textContent") == spot["label"]


def test_the_legend_hides_a_taxon(page):
    seen = "[...Bokeh.index.roots][0].model.renderers.filter(r => r.visible).length"
    n = page.js(seen)
    box = page.js("(() => {const b = all('.bk-item')[0].getBoundingClientRect();"
                  "return [b.x + b.width / 2, b.y + b.height / 2]})()")
    page.click(*box)
    page.until(f"{seen} === {n} - 4")
    page.click(*box)
    page.until(f"{seen} === {n}")


def test_the_wheel_zooms_and_nothing_leaves_the_page(page):
    spot = page.js(FIRST)[0]
    width = "(r => r.end - r.start)([...Bokeh.index.roots][0].model.x_range)"
    before = page.js(width)
    page.call("Input.dispatchMouseEvent", type="mouseWheel", x=spot["x"], y=spot["y"], deltaX=0,
              deltaY=-200)
    page.until(f"{width} < {before}")
    wanted = [e["params"]["request"]["url"] for e in page.events
              if e["method"] == "Network.requestWillBeSent"]
    assert wanted
    assert all(url.startswith(("file:", "data:", "blob:")) for url in wanted)
    assert [e["params"] for e in page.events
            if e["method"] in ("Runtime.exceptionThrown", "Log.entryAdded")] == []
