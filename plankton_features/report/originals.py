"""Images that results are of, read again to be shown.

A feature file may come from a stranger, and a report goes to others. So the paths in it lead to no
picture outside of the folder of its images, and to none of another content.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from plankton_features.errors import ImageFailure
from plankton_features.images import open_source
from plankton_features.images.content import content_digest, picture_of

if TYPE_CHECKING:
    import numpy as np

OUTSIDE = "not shown: it lies outside of the folder of the images"


class Originals:
    """Images below a folder.

    Parameters
    ----------
    root : path-like
        The folder that paths are relative to, a table in it, or an archive.
    sha256 : mapping of str to str, optional
        Hexadecimal digests of contents by path. A file of another content is not read.
    listed : collection of str, optional
        Paths that may also lie elsewhere: those that a person listed, not a feature file.
    depth : str, default="auto"
        Scale of samples of more than 8 bits, see `images.decode_image`.

    Attributes
    ----------
    folder : Path
        Absolute.
    """

    def __init__(self, root: str | os.PathLike[str], sha256: Mapping[str, str] | None = None,
                 listed: Collection[str] = (), depth: str = "auto"):
        self._source = open_source(os.path.abspath(root))  # noqa: PTH100
        self.folder = self._source.root or Path()
        self._sha256, self._depth = sha256 or {}, depth
        self._listed = frozenset(listed)

    def read(self, path: str) -> np.ndarray:
        """Pixels of one of them.

        Raises
        ------
        ImageFailure
            If it lies elsewhere, cannot be read, or is another picture by now.
        """
        content = self._source.read(self._place(path))
        digest = self._sha256.get(path)
        if digest is not None and content_digest(content).hex() != digest:
            raise ImageFailure("read", "another picture than the one that results are of")
        return picture_of(content, depth=self._depth).pixels

    def _place(self, path: str) -> str:
        if path in self._listed:
            return path
        # Without "..", which a link would turn to where nobody looked.
        place = Path(os.path.abspath(self.folder / path))  # noqa: PTH100
        if not place.is_relative_to(self.folder):
            raise ImageFailure("read", OUTSIDE)
        return place.relative_to(self.folder).as_posix()
