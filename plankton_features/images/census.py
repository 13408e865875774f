"""Which images of a catalog are new pictures, which repeat one, and which cannot be used."""

from __future__ import annotations

from array import array
from bisect import bisect
from collections.abc import Iterable, Sequence
from typing import Literal

from plankton_features.images.preparing import Prepared

Sort = Literal["new", "again", "failed"]


class Census:
    """Sorts images, in the order that they come, by whether their content was there before.

    Parameters
    ----------
    labels : sequence of str
        Of the catalog, by position.
    digests : iterable of bytes, optional
        Of the pictures that an earlier run found, in its order.
    positions : iterable of int, optional
        Where in the catalog these are.
    failed, duplicates : int, default=0
        What that run counted.

    Attributes
    ----------
    rows : dict of bytes to int
        Digest of each picture to its number, from 0, in the order found.
    positions : array of int
        Where in the catalog each picture was found first, by its number.
    failed, duplicates : int
        Images that cannot be used, and that repeat a picture.
    conflicts : list of (int, int)
        Positions of a repeated picture of another label, and of the first.
    """

    def __init__(self, labels: Sequence[str], digests: Iterable[bytes] = (),
                 positions: Iterable[int] = (), failed: int = 0, duplicates: int = 0):
        self._labels = labels
        self.rows = {digest: row for row, digest in enumerate(digests)}
        self.positions = array("q", positions)
        self.failed, self.duplicates = failed, duplicates
        self.conflicts: list[tuple[int, int]] = []

    def sort(self, image: Prepared) -> Sort:
        """Say what an image is, and count it."""
        if image.failure is not None:
            self.failed += 1
            return "failed"
        row = self.rows.get(image.sha256)
        if row is None:
            self.rows[image.sha256] = len(self.positions)
            self.positions.append(image.position)
            return "new"
        self.duplicates += 1
        first = self.positions[row]
        if self._labels[image.position] != self._labels[first]:
            self.conflicts.append((image.position, first))
        return "again"

    def withdraw(self, digests: Iterable[bytes], n_images: int) -> None:
        """Count pictures among the failures after all, with the images that repeat them.

        Later pictures move up; earlier ones keep their numbers.

        Parameters
        ----------
        digests : iterable of bytes
            Of pictures that were new.
        n_images : int
            Images that hold them, repeated ones included.
        """
        gone = sorted(self.rows.pop(digest) for digest in digests)
        self.failed += n_images
        self.duplicates -= n_images - len(gone)
        firsts = {self.positions[row] for row in gone}
        self.conflicts = [pair for pair in self.conflicts if pair[1] not in firsts]
        for row in reversed(gone):
            del self.positions[row]
        self.rows = {digest: row - bisect(gone, row) for digest, row in self.rows.items()}
