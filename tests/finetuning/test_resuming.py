"""Training that was broken off goes on with its own pictures only."""

import shutil

import numpy as np
import pytest
from PIL import Image

from plankton_features import TuneOptions, TunePlan, build_catalog, fine_tune
from plankton_features.errors import OtherPicturesError
from plankton_features.finetuning import Watch

pytestmark = pytest.mark.tensorflow


def write_station(root, seed):
    rng = np.random.default_rng(seed)
    for i in range(40):
        path = root / ("bubble", "copepod")[i % 2] / f"{i}.bmp"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(rng.integers(0, 256, (32, 32), np.uint8)).save(path)
    return root


def test_training_does_not_go_on_with_other_pictures(bench, tmp_path):
    options = TuneOptions(epochs=1, head_epochs=2, batch=8)
    plan = TunePlan(bench.recipe, bench.weights, options)

    def stop(progress):
        if progress.epoch == 2:
            raise KeyboardInterrupt

    imgs, output = write_station(tmp_path / "imgs", 1), tmp_path / "m.keras"
    with pytest.raises(KeyboardInterrupt):
        fine_tune(build_catalog(imgs), output, plan, watch=Watch(training=stop))
    assert (tmp_path / "m.training" / "checkpoint.npz").exists()
    imgs.rename(tmp_path / "away")
    write_station(imgs, 2)
    with pytest.raises(OtherPicturesError, match="was of other pictures of the same names"):
        fine_tune(build_catalog(imgs), output, plan)
    shutil.rmtree(imgs)
    (tmp_path / "away").rename(imgs)
    tuned = fine_tune(build_catalog(imgs), output, plan)  # as it was: it goes on
    assert len(tuned.trained.history) == 3
