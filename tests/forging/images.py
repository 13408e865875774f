"""Whole image files of many kinds, and damage to them."""

from __future__ import annotations

import io

import numpy as np
import tifffile
from PIL import Image


def originals() -> dict[str, bytes]:
    """A small file of each kind, by its name."""
    rng = np.random.default_rng(3)
    grey = np.add.outer(np.arange(40) * 3, np.arange(30) * 4).astype(np.uint8)
    grey += rng.integers(0, 20, grey.shape).astype(np.uint8)
    colour = Image.fromarray(np.dstack([grey, grey[::-1], grey[:, ::-1]]))
    exif = Image.Exif()
    exif[0x0112] = 6
    files = {
        "jpeg": (Image.fromarray(grey), "JPEG", {"exif": exif}),
        "progressive": (colour, "JPEG", {"progressive": True}),
        "cmyk": (colour.convert("CMYK"), "JPEG", {}),
        "png": (Image.fromarray(grey), "PNG", {"exif": exif}),
        "deep png": (Image.fromarray(grey.astype(np.uint16) * 257), "PNG", {}),
        "palette": (colour.quantize(16), "PNG", {"transparency": bytes(range(0, 256, 16))}),
        "gif": (colour.quantize(16), "GIF", {}),
        "bmp": (colour, "BMP", {}),
        "webp": (colour, "WEBP", {"lossless": True}),
        "lossy webp": (colour, "WEBP", {"exif": exif}),
        "tiff": (colour, "TIFF", {"exif": exif}),
        "lzw": (Image.fromarray(grey), "TIFF", {"compression": "tiff_lzw"}),
        "mpo": (colour, "MPO", {"save_all": True, "append_images": [colour]}),
    }
    made = {}
    for name, (image, kind, options) in files.items():
        file = io.BytesIO()
        image.save(file, kind, **options)
        made[name] = file.getvalue()
    for name, options in {"deep rgb tiff": {}, "deflate": {"compression": "zlib"}}.items():
        file = io.BytesIO()
        tifffile.imwrite(file, np.asarray(colour).astype(np.uint16) * 257, photometric="rgb",
                         **options)
        made[name] = file.getvalue()
    file = io.BytesIO()
    tifffile.imwrite(file, grey / 255.0, compression="zlib")
    made["double tiff"] = file.getvalue()
    spoiled = b"\0\0\0\x05tEXta\0bcd" + bytes(4)  # its checksum is wrong
    made["spoiled text"] = made["png"][:33] + spoiled + made["png"][33:]
    return made


def damage(data: bytes, rng: np.random.Generator) -> bytes:
    """Cut, flip bits, overwrite, cut out, or double a part; or make up all of it."""
    kind = rng.integers(6)
    if kind == 0:
        return rng.bytes(int(rng.integers(0, 300)))
    if kind == 1:
        return data[: rng.integers(0, len(data))]
    changed = bytearray(data)
    at = int(rng.integers(len(data)) if rng.random() < 0.5 else rng.integers(min(200, len(data))))
    if kind == 2:
        for place in rng.integers(0, len(data), rng.integers(1, 9)):
            changed[place] ^= 1 << rng.integers(8)
    elif kind == 3:
        changed[at : at + 4] = rng.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", rng.bytes(4)])
    elif kind == 4:
        del changed[at : at + int(rng.integers(1, 50))]
    else:
        changed[at:at] = changed[at : at + int(rng.integers(1, 50))]
    return bytes(changed)
