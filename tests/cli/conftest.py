import numpy as np
import pytest
from PIL import Image

from plankton_features.cli.main import main


def write_image(path, seed, size=(24, 18)):
    path.parent.mkdir(parents=True, exist_ok=True)
    pixels = np.random.default_rng(seed).integers(0, 256, (size[1], size[0]), dtype=np.uint8)
    Image.fromarray(pixels).save(path)
    return path


@pytest.fixture
def images(tmp_path):
    """Three taxa of four vignettes, one duplicate under another label, one broken file."""
    root = tmp_path / "imgs"
    for taxon, start in (("Calanus finmarchicus", 0), ("Кладоцера", 10), ("bubble", 20)):
        for i in range(4):
            write_image(root / taxon / f"{i}.png", start + i)
    (root / "bubble" / "same.png").write_bytes((root / "Кладоцера" / "0.png").read_bytes())
    (root / "bubble" / "broken.jpg").write_bytes(b"not an image")
    (root / "notes.txt").write_text("made at sea")
    return root


@pytest.fixture
def run(capsys):
    """Run the command line in this process: (exit code, standard output, standard error)."""

    def call(*argv):
        try:
            code = main([str(a) for a in argv])
        except SystemExit as leaving:
            code = leaving.code
        out, err = capsys.readouterr()
        return code, out, err

    return call


@pytest.fixture
def extract(run):
    """Run ``extract`` with the backbone that needs no network."""

    def call(images, output, *options):
        return run("extract", images, output, "--backbone", "pixels", "--canvas", "32", *options)

    return call
