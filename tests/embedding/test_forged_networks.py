"""Whatever a stranger writes into the file of a network: it is refused in words, or harmless."""

import h5py
import numpy as np
import pytest
from forging import networks

from plankton_features.embedding import array_file, resolve_weights
from plankton_features.embedding.model_file import read_description, weights_identity
from plankton_features.errors import WeightsError

SEEDS = 12


def test_the_sound_network_is_sound(tmp_path):
    """Or all would be refused."""
    assert networks.outcome(networks.write(tmp_path, networks.sound_parts())) == "same"


@pytest.mark.parametrize("name", networks.NETWORKS)
def test_a_forged_network_is_refused_or_harmless(tmp_path, name):
    found = []
    for seed in range(SEEDS):
        folder = tmp_path / str(seed)
        folder.mkdir()
        path = networks.NETWORKS[name](folder, np.random.default_rng([3, seed]))
        found.append(networks.outcome(path))
    assert set(found) <= {"refused", "same"}
    assert "refused" in found


@pytest.mark.parametrize(("name", "seed", "words"), [
    ("arrays that claim more", 0, "bytes of arrays, expected at most"),
    ("arrays of other files", 0, "is a link to elsewhere|takes its values from another file"),
    ("arrays of other types", 1, "expected numbers"),
])
def test_it_says_what_is_wrong(tmp_path, name, seed, words):
    path = networks.NETWORKS[name](tmp_path, np.random.default_rng(seed))
    with pytest.raises(WeightsError, match=words):
        resolve_weights(networks.BACKBONE, str(path))


def test_plain_files_of_weights_are_checked_alike(tmp_path):
    with h5py.File(tmp_path / "w.h5", "w") as file:
        file["kernel"] = np.zeros(1000, np.float32)
    array_file.check_arrays(tmp_path / "w.h5")
    with h5py.File(tmp_path / "w.h5", "a") as file:
        file.create_dataset("more", (10**6, 10**6), "f4")
    with pytest.raises(WeightsError, match=r"w\.h5: says that it holds"):
        array_file.check_arrays(tmp_path / "w.h5")


def test_weights_that_are_missing_have_no_identity(tmp_path):
    parts = networks.sound_parts()
    del parts[networks.ARRAYS]
    path = networks.write(tmp_path, parts)
    assert read_description(path)["classes"] == networks.TOLD["classes"]
    with pytest.raises(WeightsError, match="its weights cannot be read"):
        weights_identity(path)
