import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from plankton_features import read_features
from plankton_features.store import Block, FeatureStore, Plan, merge_files
from plankton_features.store.schema import LATER, TABLES, encoded_length, to_column

NUMBERS = {"width": "int32", "height": "int32", "position": "int64", "row": "int64",
           "full_scale": "float32", "contrast": "int16", "several_pages": "int8"}


@pytest.fixture
def raw(written):
    with h5py.File(written()) as file:
        yield file


def test_columns_and_types(raw):
    assert sorted(raw) == ["columns", "duplicates", "failures", "features", "images"]
    assert raw["features"].dtype == "float32"
    assert raw["features"].shape == (24, 2)
    for table, columns in TABLES.items():
        assert sorted(raw[table]) == sorted(columns)
        assert len({raw[table][name].shape for name in columns}) == 1
        for name in columns:
            if name in NUMBERS:
                assert raw[table][name].dtype == NUMBERS[name]
            else:
                kind = h5py.check_string_dtype(raw[table][name].dtype)
                assert kind.encoding == "utf-8"
                assert kind.length  # a fixed length: no heap, any reader


def test_text_is_utf8(raw):
    assert raw["images/path"][0] == "ж/0.png".encode()
    assert raw["images/sha256"][1] == b"%064x" % 1


def test_root_attributes(raw):
    assert dict(raw.attrs) == {
        "format": "plankton_features", "format_version": 2, "n_valid": 24, "complete": True,
        "recipe": '{"backbone":"pixels"}', "engine": "numpy", "precision": "float32",
        "recipe_id": "e080b88e341c", "weights_source": "none",
        "feature_blocks": '[["thumbnail_avg", 2]]', "n_found": 40}


def test_no_reader_needs_a_plug_in(raw):
    for dataset in (*(raw[t][c] for t in TABLES for c in TABLES[t]), raw["features"]):
        assert dataset.id.get_create_plist().get_nfilters() == 0
        assert not dataset.is_virtual
        assert dataset.external is None


@pytest.mark.parametrize(("n_images", "rows", "of_columns"), [
    (10_000, 4096, 1024), (100, 100, 100), (1, 1, 64), (0, 1, 64)])
def test_rows_have_their_place_before_they_are_written(tmp_path, n_images, rows, of_columns):
    with FeatureStore(tmp_path / "t.h5", Plan(n_images, 64), {}) as store, \
            h5py.File(store.partial, "r", locking=False) as raw:
        assert raw["features"].chunks == (rows, 64)
        assert raw["features"].maxshape == (None, 64)
        for dataset in (raw["features"], *raw["images"].values()):
            assert dataset.shape[0] == n_images
            assert dataset.id.get_storage_size() >= dataset.size * dataset.dtype.itemsize
            made = dataset.id.get_create_plist()
            assert made.get_alloc_time() == h5py.h5d.ALLOC_TIME_EARLY
            assert made.get_fill_time() == h5py.h5d.FILL_TIME_NEVER
        assert {column.chunks for column in raw["images"].values()} == {(of_columns,)}


def test_each_row_has_its_own_path_and_digest(raw):
    positions = raw["images/position"][:]
    assert (raw["features"][:, 0] == positions).all()
    assert [p.decode() for p in raw["images/path"]] == [f"ж/{p}.png" for p in positions]
    assert [int(d, 16) for d in raw["images/sha256"]] == positions.tolist()


TEXTS = st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0")), min_size=1,
                 max_size=6)


@settings(max_examples=60, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(TEXTS)
def test_any_text_survives(tmp_path, texts):
    widths = {"label": max(map(encoded_length, texts))}
    n = len(texts)
    with FeatureStore(tmp_path / "t.h5", Plan(n, 1, text_bytes=widths), {"recipe": "{}"},
                      notes={"feature_blocks": '[["x", 1]]'}, overwrite=True) as store:
        store.append(Block(np.zeros((n, 1), np.float32),
                           {"label": texts, "position": range(n)}))
        store.finish()
    assert read_features(tmp_path / "t.h5").y.tolist() == texts


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")), st.integers(1, 9))
def test_long_text_is_cut_at_a_whole_character(text, n_bytes):
    cut = to_column([text], h5py.string_dtype("utf-8", n_bytes))[0].decode()
    assert text.startswith(cut)
    assert len(cut.encode()) <= n_bytes
    if cut != text:
        assert len(text[: len(cut) + 1].encode()) > n_bytes


def test_names_that_are_not_utf8_are_written_as_escapes():
    assert to_column(["a\udcff"], h5py.string_dtype("utf-8", 20))[0] == b"a\\udcff"
    assert encoded_length("a\udcff") == 7


def test_files_of_before_lack_the_later_columns(written, opened, block, tmp_path):
    """Read as not known; an unfinished one is continued without them."""
    path = written()
    with h5py.File(path, "r+") as file:
        for name in LATER:
            del file[name]
    images = read_features(path).images
    later = ["full_scale", "contrast", "several_pages"]
    assert not set(later) & set(images)
    known = read_features(path).columns(*later).drop_duplicates()
    assert known.to_numpy().tolist() == [[0, -1, 0]]
    assert len(images) == 24
    merged = merge_files([path, written(name="new.h5")], tmp_path / "all.h5", prefix=True)
    assert merged.images["contrast"].tolist() == [-1] * 24
    with opened(name="begun.h5") as store:
        store.append(block(0, 10, "vvfvd"))
    with h5py.File(store.partial, "r+") as file:
        for name in LATER:
            del file[name]
    again = read_features(written(name="begun.h5"))
    assert again.images.equals(images)
    assert (again.X == read_features(path).X).all()
