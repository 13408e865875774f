import os
import subprocess
from pathlib import Path
from tempfile import TemporaryDirectory

import h5py
import numpy as np
import pytest
from hypothesis import settings
from PIL import Image

from plankton_features import build_catalog, make_recipe
from plankton_features.embedding import EngineOptions, open_engine

collect_ignore = ["notebook_checks"]  # cells that run within notebooks

# How long an example takes says nothing on a busy machine.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

TAXA = ("Calanus finmarchicus", "Кладоцера", "bubble")


def write_vignettes(root, n, seed=0):
    """`n` pictures in three taxa; every 11th is broken, every 7th a copy of the one before."""
    rng = np.random.default_rng(seed)
    paths = [root / TAXA[i % 3] / f"{i:05}.png" for i in range(n)]
    for i, path in enumerate(paths):
        path.parent.mkdir(parents=True, exist_ok=True)
        width, height = rng.integers(12, 40, 2)
        if i % 11 == 5:
            path.write_bytes(b"not an image, %d" % i)
        elif i % 7 == 6:
            path.write_bytes(paths[i - 1].read_bytes())
        else:
            Image.fromarray(rng.integers(0, 256, (height, width), np.uint8)).save(path)
    return root


@pytest.fixture(scope="session")
def make_vignettes():
    """The function that writes a folder tree of vignettes: (root, n, seed=0) -> root."""
    return write_vignettes


@pytest.fixture(scope="session")
def vignettes(tmp_path_factory):
    """150 vignettes in three folders, 16 of them broken, with some copies. Not to be changed."""
    return write_vignettes(tmp_path_factory.mktemp("vignettes"), 150)


@pytest.fixture(scope="session")
def catalog(vignettes):
    """Of `vignettes`."""
    return build_catalog(vignettes)


MEMORY = Path("/dev/shm")
LEAST_ROOM = 2**29


@pytest.fixture
def memory_path(tmp_path_factory):
    """A folder in memory where there is such a disk with room, else on the usual one.

    What is written there is the same, but nothing waits for a disk. It is gone after the test.
    """
    try:
        room = os.statvfs(MEMORY)
        if room.f_bavail * room.f_frsize < LEAST_ROOM:
            raise OSError("too small")
        made = TemporaryDirectory(prefix="plankton_features-tests-", dir=MEMORY)
    except (AttributeError, OSError):  # Windows has no statvfs
        yield tmp_path_factory.mktemp("no-memory")
        return
    with made as folder:
        yield Path(folder)


@pytest.fixture
def pixels():
    """Recipe and engine that need no network: options of the recipe -> (recipe, engine)."""

    def make(batch=8, **options):
        chosen = {"backbone": "pixels", "canvas": 32, "views": "none", "pooling": ("avg",)}
        recipe, _, _ = make_recipe(**{**chosen, **options})
        return recipe, open_engine(recipe, None, EngineOptions(batch=batch))

    return make


@pytest.fixture(scope="session")
def dump():
    """Everything in an HDF5 file: path -> {name: content}, attributes included."""

    def read(path):
        content = {}
        with h5py.File(path) as file:
            content.update((f"attribute {k}", (type(v), v)) for k, v in file.attrs.items())
            file.visititems(lambda name, item: content.__setitem__(name, _of(item)))
        return content

    return read


def _of(item):
    if isinstance(item, h5py.Group):
        return sorted(item)
    return item.dtype, item.shape, item[()].tobytes(), sorted(item.attrs)


@pytest.fixture
def small_disk(tmp_path):
    """Mount a file system of a given size: size -> folder, and change it: (size, folder)."""
    mounted = []

    def mount(size, folder=None, options=""):
        how = f"size={size}{options}" if folder is None else f"remount,size={size}{options}"
        folder = folder or tmp_path / f"disk{len(mounted)}"
        folder.mkdir(exist_ok=True)
        try:
            done = subprocess.run(["mount", "-t", "tmpfs", "-o", how, "tmpfs", folder],
                                  capture_output=True, check=False)
        except OSError:
            pytest.skip("there is no command mount")
        if done.returncode:
            pytest.skip("mounting is not permitted")
        mounted.append(folder)
        return folder

    yield mount
    for folder in dict.fromkeys(mounted):
        subprocess.run(["umount", folder], check=False)
