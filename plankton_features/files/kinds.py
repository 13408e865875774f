"""What a file is, by its content, for messages that name what was given in place of another."""

from __future__ import annotations

from pathlib import Path
from zipfile import BadZipFile, ZipFile

HDF5 = b"\x89HDF\r\n\x1a\n"
_BEGINNINGS = (
    (b"\x93NUMPY", "a NumPy array"), (b"PAR1", "a Parquet table"), (b"\x1f\x8b", "a gzip file"),
    (b"\x89PNG\r\n\x1a\n", "an image (PNG)"), (b"\xff\xd8\xff", "an image (JPEG)"),
    (b"II*\0", "an image (TIFF)"), (b"MM\0*", "an image (TIFF)"), (b"II+\0", "an image (TIFF)"),
    (b"GIF8", "an image (GIF)"), (b"BM", "an image (BMP)"), (b"%PDF", "a PDF document"),
    (b"\x80\x04\x95", "a Python pickle"), (b"\x80\x05\x95", "a Python pickle"),
    (b"CDF\x01", "a netCDF file"), (b"CDF\x02", "a netCDF file"),
    (b"SQLite format 3\0", "an SQLite database"), (b"MATLAB 5.0 MAT", "a MATLAB file"),
    (b"MATLAB 7.3 MAT", "a MATLAB file"),
)
_WITHIN = (("manifest.json", "a head file"), ("plankton_features/head", "a fine-tuned network"),
           ("model.weights.h5", "a Keras network"), ("xl/workbook.xml", "an Excel workbook"))


def kind_of(path: Path) -> str:
    """Name what a file is.

    Parameters
    ----------
    path : Path
        It is there.

    Returns
    -------
    str
        Such as ``a NumPy array``; empty if that cannot be told, or it cannot be read.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "x.h5"
    >>> _ = path.write_text("path,label\\n1.png,copepod\\n")
    >>> kind_of(path), kind_of(path.parent)
    ('a text file', 'a folder')
    """
    if path.is_dir():
        return "a folder"
    if not path.is_file():
        return "a pipe, socket or device"
    try:
        with path.open("rb") as file:
            start = file.read(512)
    except OSError:
        return ""
    if not start:
        return "an empty file"
    for beginning, name in _BEGINNINGS:
        if start.startswith(beginning):
            return name
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "an image (WebP)"
    if start.startswith(b"PK\x03\x04"):
        return _kind_of_zip(path)
    if start.startswith(HDF5):
        return "an HDF5 file"
    return "a text file" if _is_text(start) else ""


def _kind_of_zip(path: Path) -> str:
    try:
        with ZipFile(path) as archive:
            names = set(archive.namelist())
    except (OSError, BadZipFile, ValueError, NotImplementedError):
        return "a zip file that is cut short"
    if names and all(name.endswith(".npy") for name in names):
        return "NumPy arrays (.npz)"
    return next((kind for name, kind in _WITHIN if name in names), "a zip file")


def _is_text(start: bytes) -> bool:
    """Whether it is UTF-8 without control characters; its last letter may be cut off."""
    text = start.decode("utf-8", "ignore")
    return len(text.encode()) >= len(start) - 3 and all(c.isprintable() or c in "\r\n\t\f"
                                                        for c in text)
