import base64
import hashlib
import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from plankton_features.errors import InputError
from plankton_features.report import collect_pictures, pictures
from plankton_features.report.pictures import thumbnail

CELLS = {("a", "a"): 30, ("b", "b"): 2, ("a", "b"): 20, ("b", "a"): 3, ("c", "a"): 1}


@pytest.fixture
def frame():
    rng = np.random.default_rng(0)
    rows = [(true, predicted) for (true, predicted), n in CELLS.items() for _ in range(n)]
    table = pd.DataFrame(rows, columns=["label", "taxon"])
    table["path"] = [f"{i:03}.png" for i in range(len(rows))]
    table["probability"] = rng.uniform(0.2, 1, len(rows))
    return table.sample(frac=1, random_state=0)


def sizes(rows):
    return pd.Series([(row.label, row.taxon) for row in rows]).value_counts().to_dict()


def opened(uri):
    head, _, data = uri.partition(",")
    assert head == "data:image/webp;base64"
    return Image.open(io.BytesIO(base64.b64decode(data)))


def test_the_wall_is_the_most_confident_mistakes(frame):
    found = collect_pictures(frame, None, most_mistakes=5)
    wrong = frame[frame["label"] != frame["taxon"]]
    expected = wrong.nlargest(5, "probability")["path"].tolist()
    assert [row.path for row in found.rows[: found.n_wall]] == expected


def test_each_cell_lists_its_most_confident(frame):
    found = collect_pictures(frame, None, per_cell=6, most_mistakes=0)
    assert sizes(found.rows) == {("a", "a"): 4, ("b", "b"): 2, ("a", "b"): 6, ("b", "a"): 3,
                                 ("c", "a"): 1}
    cell = frame[(frame["label"] == "a") & (frame["taxon"] == "b")]
    listed = [row.path for row in found.rows if (row.label, row.taxon) == ("a", "b")]
    assert listed == cell.nlargest(6, "probability")["path"].tolist()


def test_pictures_are_shared_out_cell_by_cell(frame, vignettes_of):
    found = collect_pictures(frame, vignettes_of(frame), most=7, per_cell=6, most_mistakes=0)
    assert sizes(row for row in found.rows if row.image) == {
        ("a", "a"): 2, ("a", "b"): 2, ("b", "a"): 1, ("b", "b"): 1, ("c", "a"): 1}
    assert len(found.rows) == 16


def test_no_row_is_listed_twice(frame):
    found = collect_pictures(frame, None)
    paths = [row.path for row in found.rows]
    assert len(set(paths)) == len(paths)


def test_only_the_first_repeat_counts(frame):
    again = pd.concat([frame.assign(repeat=0), frame.assign(repeat=1, path="other.png")])
    assert collect_pictures(again, None) == collect_pictures(frame, None)


def test_a_missing_probability_comes_last(frame):
    frame.loc[frame.index[frame["label"] == "b"][:1], "probability"] = np.nan
    rows = collect_pictures(frame, None, per_cell=50, most_mistakes=0).rows
    missing = [row for row in rows if row.probability is None]
    assert len(missing) == 1
    assert missing[0] == [r for r in rows if (r.label, r.taxon) == (
        missing[0].label, missing[0].taxon)][-1]


def test_a_column_that_is_missing_is_named(frame):
    with pytest.raises(InputError, match="without probability"):
        collect_pictures(frame.drop(columns="probability"), None)


def test_a_picture_that_cannot_be_read_is_left_out(frame, vignettes_of):
    root = vignettes_of(frame)
    (root / "000.png").write_bytes(b"no picture")
    (root / "055.png").unlink()
    steps = []
    found = collect_pictures(frame, root, per_cell=99, progress=steps.append)
    assert dict(found.failures).keys() <= {"000.png", "055.png"}
    assert "055.png" in dict(found.failures)
    assert found.found == len(found.rows) - len(found.failures)
    assert (steps[-1].done, steps[-1].failed) == (len(found.rows), len(found.failures))
    assert [row.path for row in found.rows if row.image is None] == [p for p, _ in found.failures]


def test_another_picture_of_the_same_name_is_not_shown(frame, vignettes_of):
    root = vignettes_of(frame)
    digests = {path: hashlib.sha256((root / path).read_bytes()).hexdigest()
               for path in frame["path"]}
    changed = collect_pictures(frame, root, sha256=digests).rows[0].path
    Image.new("L", (9, 9), 7).save(root / changed)
    found = collect_pictures(frame, root, sha256=digests)
    assert [row.path for row in found.rows if row.image is None] == [changed]
    assert found.failures == ((changed, "another picture than the one that results are of"),)
    assert found.rows[1:] == collect_pictures(frame, root).rows[1:]


def test_no_time_is_lost_where_nothing_is_found(frame, monkeypatch):
    monkeypatch.setattr(pictures, "_TRIES", 3)
    steps = []
    found = collect_pictures(frame, "/nowhere", progress=steps.append)
    assert (found.found, len(steps), found.root) == (0, 3, "/nowhere")
    assert len(found.rows) == 4 + 2 + 20 + 3 + 1


def test_pictures_stop_where_the_page_would_be_too_large(frame, vignettes_of, monkeypatch):
    monkeypatch.setattr(pictures, "_MOST_CHARACTERS", 2000)
    found = collect_pictures(frame, vignettes_of(frame))
    images = [row.image for row in found.rows if row.image]
    assert 0 < len(images) < len(found.rows)
    assert sum(map(len, images[:-1])) <= 2000


def test_the_root_may_be_a_table_and_paths_absolute(frame, vignettes_of):
    root = vignettes_of(frame)
    (root / "images.csv").write_text("path\n", encoding="utf-8")
    absolute = frame.assign(path=[str(root / path) for path in frame["path"]])
    of_table = collect_pictures(frame, root / "images.csv")
    of_paths = collect_pictures(absolute, root / "images.csv")
    assert of_table.found == len(of_table.rows)
    assert [row.image for row in of_paths.rows] == [row.image for row in of_table.rows]


@pytest.mark.parametrize("lead", ["{}/", "../", "sub/../../"])
def test_no_path_leads_out_of_the_folder_but_those_listed(frame, vignettes_of, lead):
    elsewhere = vignettes_of(frame)
    folder = elsewhere / "pictures"
    (folder / "sub").mkdir(parents=True)
    outer = frame.assign(path=[lead.format(elsewhere) + path for path in frame["path"]])
    refused = collect_pictures(outer, folder)
    assert (refused.found, refused.outside) == (0, len(refused.rows))
    listed = collect_pictures(outer, folder, listed=outer["path"])
    assert (listed.found, listed.outside) == (len(listed.rows), 0)
    assert collect_pictures(outer, "/nowhere").found == 0


@pytest.mark.parametrize(("shape", "mode"), [((40, 80), "L"), ((240, 60, 3), "RGB"),
                                             ((5, 9, 4), "RGBA"), ((1, 1), "L")])
def test_a_thumbnail_keeps_proportions_on_the_border_value(shape, mode):
    pixels = np.full(shape, 200, np.uint8)
    pixels[shape[0] // 4 : shape[0] // 2, shape[1] // 4 : shape[1] // 2] = 20
    if mode == "RGBA":
        pixels[..., 3] = 255
    small = opened(thumbnail(pixels, 96)).convert("L")
    assert small.size == (96, 96)
    if min(shape[:2]) > 1:
        values = np.asarray(small)
        assert abs(int(values[0, 0]) - 200) < 12
        dark = np.argwhere(values < 90)
        height, width = np.ptp(dark, axis=0) + 1
        wide = (shape[1] // 2 - shape[1] // 4) / (shape[0] // 2 - shape[0] // 4)
        assert width / height == pytest.approx(wide, rel=0.2)


def test_the_size_of_the_vignette_is_told(frame, vignettes_of):
    root = vignettes_of(frame)
    row = collect_pictures(frame, root).rows[0]
    with Image.open(root / row.path) as image:
        assert row.size == image.size
