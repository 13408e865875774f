"""Damaged files end in pixels or in an ImageFailure; whole ones in the right pixels."""

from __future__ import annotations

import faulthandler
from collections.abc import Iterator

import numpy as np
import pytest
from forging.images import damage, originals

from plankton_features.errors import ImageFailure
from plankton_features.images import Framing, decode_image, frame

# Pillow tells of odd metadata; the command line does not show it.
pytestmark = pytest.mark.filterwarnings("ignore:::PIL")

CASES = 10_000
MAX_PIXELS = 1_000_000  # a header that is hit may ask for much, which is slow but not wrong
SLOWEST = 120
"""Seconds after which a hang ends the run with a traceback."""
FILES = originals()
WHOLE = {name: decode_image(data) for name, data in FILES.items()}


def decoded(data: bytes) -> np.ndarray | ImageFailure:
    try:
        return decode_image(data, max_pixels=MAX_PIXELS)
    except ImageFailure as failure:
        return failure


def test_undamaged_files_stay_right_in_any_order() -> None:
    rng = np.random.default_rng(0)
    for name in rng.permutation(np.repeat(list(FILES), 20)):
        np.testing.assert_array_equal(decode_image(FILES[str(name)]), WHOLE[str(name)])


@pytest.fixture
def hang_watch() -> Iterator[None]:
    faulthandler.dump_traceback_later(SLOWEST, exit=True)
    yield
    faulthandler.cancel_dump_traceback_later()


@pytest.mark.usefixtures("hang_watch")
def test_damaged_files_end_in_pixels_or_a_failure(capfd: pytest.CaptureFixture[str]) -> None:
    rng = np.random.default_rng(1)
    names = list(FILES)
    outcomes = {"pixels": 0, "failure": 0}
    for case in range(CASES):
        outcome = decoded(damage(FILES[names[case % len(names)]], rng))
        if isinstance(outcome, ImageFailure):
            assert outcome.stage == "decode"
            assert outcome.reason.isprintable()
            outcomes["failure"] += 1
            continue
        assert outcome.dtype == np.uint8
        assert outcome.ndim == 2 or outcome.shape[2] in (3, 4)
        assert 0 < outcome.shape[0] * outcome.shape[1] <= MAX_PIXELS
        assert frame(outcome, Framing(16)).shape[:2] == (16, 16)
        outcomes["pixels"] += 1
    assert capfd.readouterr().out == ""  # libtiff writes some errors of its own to stderr
    assert min(outcomes.values()) > CASES // 10  # the damage was neither too much nor too little


def test_every_truncation_of_a_small_file() -> None:
    """A cut file never gives pixels that differ from the whole one's."""
    for name in ("png", "deep png", "palette", "bmp", "gif", "webp", "tiff", "deep rgb tiff"):
        for length in range(0, len(FILES[name]), max(1, len(FILES[name]) // 150)):
            outcome = decoded(FILES[name][:length])
            if isinstance(outcome, np.ndarray):
                np.testing.assert_array_equal(outcome, WHOLE[name], f"{name} cut to {length}")
