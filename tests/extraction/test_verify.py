import h5py
import numpy as np
import pytest
from PIL import Image

from plankton_features import build_catalog, extract, read_features
from plankton_features.errors import InputError
from plankton_features.extraction import verify


@pytest.fixture
def images(make_vignettes, tmp_path):
    return make_vignettes(tmp_path / "imgs", 60)


@pytest.fixture
def file(images, pixels, tmp_path):
    recipe, engine = pixels(size_features=True)
    extract(build_catalog(images), recipe, engine, tmp_path / "out.h5", weights_source="none")
    return read_features(tmp_path / "out.h5")


def test_untouched(file, images):
    seen = []
    result = verify(file, images, progress=seen.append)
    assert result.ok
    assert result.checked == len(file) + len(file.duplicates) == seen[-1].done
    assert (result.missing, result.changed, result.new) == ([], [], [])
    assert result.sampled == 32
    assert result.least_cosine == pytest.approx(1)


def test_missing_changed_and_new(file, images):
    gone, changed = file.paths[:2]
    (images / gone).unlink()
    Image.fromarray(np.zeros((9, 9), np.uint8)).save(images / changed)
    Image.fromarray(np.ones((9, 9), np.uint8)).save(images / "bubble" / "new.png")
    result = verify(file, images)
    assert (result.missing, result.changed, result.new) == ([gone], [changed], ["bubble/new.png"])
    assert not result.ok


def test_new_images_are_no_fault(file, images):
    Image.fromarray(np.ones((9, 9), np.uint8)).save(images / "new.png")
    assert verify(file, images).ok


def test_a_changed_duplicate_is_seen(file, images):
    again = file.duplicates["path"][0]
    (images / again).write_bytes(b"other")
    assert verify(file, images).changed == [again]


def test_a_file_that_became_unreadable_is_missing(file, images):
    (images / file.paths[3]).write_bytes(b"")
    assert verify(file, images).missing == [file.paths[3]]


def test_vectors_of_other_images_are_found_out(file, images):
    with h5py.File(file.path, "r+") as raw:
        raw["features"][:] = raw["features"][:][::-1]
    result = verify(read_features(file.path), images, sample=1000)
    assert result.sampled == len(file)
    assert result.least_cosine < result.cosine_needed == 0.9999
    assert not result.ok


def test_no_sample(file, images):
    result = verify(file, images, sample=0)
    assert result.sampled == 0
    assert np.isnan(result.least_cosine)
    assert result.ok


def test_a_picture_that_cannot_be_embedded_again_does_not_match(file, images, monkeypatch):
    from plankton_features.errors import ImageFailure

    def refuse(*_, **__):
        raise ImageFailure("decode", "out of memory")

    monkeypatch.setattr("plankton_features.images.preparing.picture_of", refuse)
    result = verify(file, images)
    assert result.least_cosine == 0
    assert not result.ok


def test_another_folder(file, tmp_path):
    (tmp_path / "other").mkdir()
    Image.fromarray(np.ones((9, 9), np.uint8)).save(tmp_path / "other" / "x.png")
    with pytest.raises(InputError, match=r"has none of the \d+ paths"):
        verify(file, tmp_path / "other")


def test_only_the_sampled_vectors_are_read(file, images, monkeypatch):
    monkeypatch.setattr(type(file), "X", None)
    assert verify(file, images).ok


@pytest.mark.parametrize("rows", [slice(None), [0], [5, 40]], ids=str)
def test_values_that_are_not_finite_are_faults(file, images, rows):
    """One of them hid all others in the sample: the least of numbers with a NaN is NaN."""
    with h5py.File(file.path, "r+") as raw:
        values = raw["features"][:]
        values[rows] = np.nan
        raw["features"][:] = values
    result = verify(file, images)
    assert not result.ok
    assert result.not_finite == np.atleast_1d(file.paths[rows]).tolist()


def test_other_vectors_are_seen_beside_one_that_is_not_finite(file, images):
    with h5py.File(file.path, "r+") as raw:
        values = np.random.default_rng(0).normal(size=raw["features"].shape).astype(np.float32)
        values[0] = np.nan
        raw["features"][:] = values
    result = verify(file, images)
    assert result.sampled == 32
    assert result.least_cosine < 0.9


def test_the_sample_is_embedded_by_a_network_of_its_own(file, images, monkeypatch):
    """Whoever forged the network in the cache would be verified by it."""
    from plankton_features.embedding.openvino_cache import cache_folder
    from plankton_features.extraction import verifying

    folders, real = [cache_folder()], verifying.embed_sample
    monkeypatch.setattr(verifying, "embed_sample",
                        lambda *args: (folders.append(cache_folder()), real(*args))[1])
    assert verify(file, images).ok
    assert folders[1] != folders[0]
    assert not folders[1].exists()
    assert cache_folder() == folders[0]
