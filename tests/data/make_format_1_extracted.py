"""Write what the last version of format 1 left: a finished feature file and an unfinished one.

    python tests/data/make_format_1_extracted.py tests/data

They were written once, by the last version that wrote format 1; do not write them again. The
pictures are made by `pictures` below, byte by byte, so that a test can extract them again. That
version did not read the column ``depth`` of the table.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np

TABLE = ("path,label,group,depth\n"
         "a/0.bmp,Кладоцера,tow 1,5\na/1.bmp,Кладоцера,tow 1,7.5\nb/broken.bmp,bubble,,9\n"
         "b/2.bmp,bubble,tow 2,\nb/copy.bmp,bubble,tow 2,11\nb/3.bmp,bubble,tow 2,1\n"
         "b/4.bmp,bubble,tow 2,2\n")


def bitmap(seed):
    """A grey picture of 24 x 16 as a Windows bitmap; the same bytes everywhere."""
    values = np.random.RandomState(seed).randint(0, 256, (16, 24), np.uint8)
    palette = np.repeat(np.arange(256, dtype=np.uint8), 4).reshape(256, 4)
    palette[:, 3] = 0
    start = 54 + 1024
    numbers = (start + values.size, 0, start, 40, 24, 16)
    head = b"BM" + np.array(numbers, "<u4").tobytes() + np.array([1, 8], "<u2").tobytes()
    tail = np.array([0, values.size, 2835, 2835, 256, 0], "<u4").tobytes()
    return head + tail + palette.tobytes() + values.tobytes()


def pictures(root):
    """Write the pictures and their table into a folder; returns the table's path."""
    for number, name in enumerate(("a/0", "a/1", "b/2", "b/3", "b/4")):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / f"{name}.bmp").write_bytes(bitmap(number))
    (root / "b/copy.bmp").write_bytes(bitmap(1))
    (root / "b/broken.bmp").write_bytes(b"not an image")
    (root / "table.csv").write_text(TABLE, encoding="utf-8")
    return root / "table.csv"


def main(folder):
    from plankton_features import build_catalog, open_session
    from plankton_features.embedding import EngineOptions
    from plankton_features.store import schema

    schema._CHUNK_BYTES = 1  # blocks of one batch

    def stop(progress):
        raise KeyboardInterrupt

    with tempfile.TemporaryDirectory() as root:
        catalog = build_catalog(pictures(Path(root)))
        for name, progress in (("finished", None), ("begun", stop)):
            output = Path(folder) / f"format-1-{name}.h5"
            session = open_session(output, backbone="pixels", canvas=32,
                                   options=EngineOptions(batch=2))
            try:
                session.extract(catalog, output, notes={"images": "imgs"},
                                **({"progress": progress} if progress else {}))
            except KeyboardInterrupt:
                Path(f"{output}.partial").replace(output)


if __name__ == "__main__":
    main(sys.argv[1])
