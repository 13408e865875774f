"""IFCB bins, written from what is published of the format, without the reader's code."""

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

NEW = "D20220519T124533_IFCB134"
OLD = "IFCB5_2012_028_081515"


@dataclass
class Shot:
    """A trigger: its picture (None without), its place in the frame, and its times in seconds."""

    pixels: np.ndarray | None
    x: int = 0
    y: int = 0
    trigger: int | None = None
    time: float | None = None


@dataclass
class Forged:
    """The three files of a bin, to be spoilt before they are written."""

    name: str
    hdr: bytes
    adc: bytes
    roi: bytes
    shots: list[Shot] = field(default_factory=list)

    def write(self, folder: Path, *, without: str = "") -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        for ending in ("hdr", "adc", "roi"):
            if ending != without:
                (folder / f"{self.name}.{ending}").write_bytes(getattr(self, ending))
        return folder / self.name


def drawn(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)


def shots(n, seed=0, without=()):
    """So many triggers with pictures of different sizes."""
    rng = np.random.default_rng(seed)
    return [Shot(None if i in without else drawn(*rng.integers(8, 40, 2), seed=seed * 1000 + i),
                 *map(int, rng.integers(1, 900, 2))) for i in range(n)]


def new_bin(given, name=NEW, run_time=1200.0, inhibit_time=20.0, columns=24, number=str, **header):
    """A bin of a new instrument; triggers come evenly until the end of the run."""
    lines, roi = [], b""
    for i, shot in enumerate(given):
        share = (i + 1) / len(given)
        time = run_time * share if shot.time is None else shot.time
        line = [shot.trigger or i + 1, time - 0.05, *[0.25] * 8, 55.5, time - 0.05, time - 0.01,
                *_place(shot, len(roi), number), 0, 0, 0, 0, time, inhibit_time * share]
        lines.append(",".join(map(str, [*line, 7, 8][:columns])))
        roi += b"" if shot.pixels is None else shot.pixels.tobytes()
    keys = {"SoftwareVersion": "2.0.0.0", "triggerCount": len(given),
            "sampleType": "Normal", "roiCount": sum(s.pixels is not None for s in given),
            "runTime": run_time, "inhibitTime": inhibit_time, "runBeads": False,
            "SyringeSampleVolume": 5, **header}
    hdr = "".join(f"{key}: {value}\r\n" for key, value in keys.items() if value is not None)
    return Forged(name, hdr.encode() + b"a line without\r\n", "".join(
        f"{line}\r\n" for line in lines).encode(), roi, list(given))


def old_bin(given, name=OLD):
    """A bin of an old instrument: 15 values and a comma, pixels from byte 1."""
    lines, roi = [], b"\0"
    for i, shot in enumerate(given):
        time = i + 1.0 if shot.time is None else shot.time
        line = [shot.trigger or i + 1, time, *[0.1] * 5, time - 0.01, time,
                *_place(shot, len(roi), str), 0]
        lines.append(",".join(map(str, line)) + ",\n")
        roi += b"" if shot.pixels is None else shot.pixels.tobytes()
    hdr = (b'"Imaging FlowCytobot"\n"text: of people"\n"3"\n"4"\n"Temp Humidity BinarizeThresh '
           b'PMT1hv(ssc) PMT2hv(chl) BlobSizeThresh"\n"11.48,32.17,30,.7,.6,150,"\n')
    return Forged(name, hdr, "".join(lines).encode(), roi, list(given))


def _place(shot, start, number):
    if shot.pixels is None:
        return [number(value) for value in (0, 0, 0, 0, start)]
    height, width = shot.pixels.shape
    return [number(value) for value in (shot.x, shot.y, width, height, start)]
