import re
import tracemalloc
from itertools import pairwise

import numpy as np
import pytest

from plankton_features.errors import InputError
from plankton_features.heads.sampling import (
    SAMPLERS,
    check_memory,
    estimate_bytes,
    make_sampler,
    memory,
    resampled_rows,
)

LONG_TAIL = np.repeat(np.arange(20), np.geomspace(600, 8, 20).astype(int))
COUNTS = np.bincount(LONG_TAIL)


@pytest.mark.parametrize(("name", "options", "after"), [
    ("none", {}, []), ("class-weight", {}, []),
    ("smote", {}, [np.maximum(COUNTS, 100)]), ("adasyn", {"floor": 7}, [COUNTS]),
    ("random-over", {"floor": "balance"}, [np.full(20, 600)]),
    ("near-miss", {"cap": 50}, [np.minimum(COUNTS, 50)]), ("tomek", {}, [COUNTS]),
    ("smote-enn", {"floor": 80}, [np.maximum(COUNTS, 80)] * 2),
    ("random-under+smote", {"floor": "balance", "cap": 90},
     [np.minimum(COUNTS, 90), np.full(20, 90)])])
def test_rows_are_known_before(name, options, after):
    expected = [len(LONG_TAIL), *(counts.sum() for counts in after)]
    assert resampled_rows(LONG_TAIL, name, **options) == expected
    assert resampled_rows([f"t{i}" for i in LONG_TAIL], name, **options) == expected


@pytest.mark.parametrize(("name", "floor", "least"), [
    *((name, None, 0.15) for name in SAMPLERS if name not in ("none", "class-weight")),
    ("smote", "balance", 0.5), ("random-over", "balance", 0.5), ("smote-enn", "balance", 0.4),
    ("random-under+random-over", "balance", 0.4), ("adasyn", "balance", 0.5)])
def test_estimate_is_rather_too_high(name, floor, least):
    """tracemalloc sees NumPy's arrays, not libsvm's, so SVM-SMOTE is only bounded from below."""
    share = peak_bytes(LONG_TAIL, name, floor) \
        / estimate_bytes(LONG_TAIL, name, floor, n_features=48)
    assert share <= 1.05
    assert share >= least or name == "svm-smote"


@pytest.mark.parametrize("n_features", [1, 48])
@pytest.mark.parametrize("name", ["smote", "random-over"])
def test_it_is_high_enough_where_one_class_is_made_nearly_all_at_once(name, n_features):
    y = np.repeat([0, 1], [2000, 20])
    estimate = estimate_bytes(y, name, "balance", n_features=n_features)
    assert peak_bytes(y, name, "balance", n_features) <= 1.05 * estimate


def peak_bytes(y, name, floor, n_features=48):
    """What resampling takes at its peak."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(20, n_features))[y] + rng.normal(size=(len(y), n_features))
    X = X.astype(np.float32)
    tracemalloc.start()
    try:
        for _, sampler in make_sampler(name, floor):
            X, y = sampler.fit_resample(X, y)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_a_lower_cap_takes_less_from_the_second_step_on():
    low, high = (estimate_bytes(LONG_TAIL, "random-under+smote", 20, cap, n_features=48)
                 for cap in (20, 600))
    assert low < high
    assert estimate_bytes(LONG_TAIL, "random-under", cap=20, n_features=48) == low


def own_bytes(y, name):
    """How much more than SMOTE a variant takes of 48 features."""
    return estimate_bytes(y, name, "balance", n_features=48) \
        - estimate_bytes(y, "smote", "balance", n_features=48)


def test_svm_smote_holds_float64_rows_coefficients_and_a_kernel():
    sizes = [900, 800, *[20] * 50]
    n, y = sum(sizes), np.repeat(np.arange(52), sizes)
    rows, coefficients, kernel = 2 * n * 48 * 8, n * 52 * 8, 4 * 1700 ** 2
    assert own_bytes(y, "svm-smote") == pytest.approx(rows + coefficients + kernel, rel=0.02)
    y = np.repeat([0, 1], 50_000)  # whose kernel would take 40 GB, of which 200 MB are kept
    assert own_bytes(y, "svm-smote") == pytest.approx(2e8 + 2 * len(y) * 48 * 8, rel=0.05)


def test_instance_hardness_holds_a_folds_rows_and_probabilities():
    sizes = [900, 800, *[20] * 50]
    n, y = sum(sizes), np.repeat(np.arange(52), sizes)
    more = estimate_bytes(y, "instance-hardness", n_features=48) \
        - estimate_bytes(y, "random-under", n_features=48)
    rows, probabilities = n * 48 * 4, 2 * n * 52 * 8
    assert more == pytest.approx(rows + probabilities, rel=0.02)


def test_kmeans_smote_holds_distances_of_the_largest_class_that_grows():
    y = np.repeat([0, 1, 2], [5000, 300, 20])
    assert own_bytes(y, "kmeans-smote") == 16 * 300 ** 2
    assert own_bytes(np.repeat([0, 1], 5000), "kmeans-smote") == 0


def test_a_later_step_holds_the_rows_of_the_one_before():
    rows = 20 * 600 * 48 * 4
    assert estimate_bytes(LONG_TAIL, "smote-enn", "balance", n_features=48) > 3 * rows
    assert estimate_bytes(LONG_TAIL, "smote", "balance", n_features=48) < 3 * rows


def test_without_resampling_nothing_is_needed():
    assert estimate_bytes(LONG_TAIL, "none", n_features=10 ** 9) == 0
    check_memory(LONG_TAIL, "class-weight", n_features=10 ** 9, limit_bytes=0)


@pytest.fixture(scope="module")
def impossible():
    """A hundred classes behind one of 40,000 rows: balanced, 4 million rows."""
    return np.repeat(np.arange(101), [40_000] + [50] * 100)


def test_an_impossible_request_is_refused_and_told_what_would_do(impossible):
    message = (r"sampler smote with floor balance would make 4,040,000 rows x 2048 values and "
               r"take about 6\d\.\d GB of memory; 4\.0 GB may be used\. Choose --floor \d+ or ")
    with pytest.raises(InputError, match=message) as error:
        check_memory(impossible, "smote", "balance", n_features=2048, limit_bytes=4 * 10 ** 9)
    floor = int(re.search(r"--floor (\d+)", str(error.value))[1])
    check_memory(impossible, "smote", floor, n_features=2048, limit_bytes=4 * 10 ** 9)
    with pytest.raises(InputError, match="would make"):
        check_memory(impossible, "smote", floor * 5, n_features=2048, limit_bytes=4 * 10 ** 9)


def test_where_no_floor_helps_something_else_is_named(impossible):
    for name in ("tomek", "smote"):
        with pytest.raises(InputError) as error:
            check_memory(impossible, name, n_features=2048, limit_bytes=10 ** 6)
        told = re.sub(r"\d[\d.,]*(?= GB| rows)", "N", str(error.value))
        assert told == (f"sampler {name} would make N rows x 2048 values and take about N GB of "
                        "memory; N GB may be used. Keep fewer values (--pca), or choose --sampler "
                        "none.")


def test_the_suggested_floor_goes_with_the_cap(impossible):
    with pytest.raises(InputError, match=r"with floor 900 and cap 900 .*--floor 200 or lower"):
        check_memory(impossible, "random-under+smote", 900, 900, n_features=2048,
                     limit_bytes=550 * 10 ** 6)


ROUND = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000]
TWO = np.repeat([0, 1], [1000, 1])


@pytest.mark.parametrize(("name", "cap"), [("smote", None), ("random-under+smote", 999)])
@pytest.mark.parametrize(("lower", "floor"), [*pairwise(ROUND)])
def test_the_suggested_floor_is_the_highest_round_one_that_fits(lower, floor, name, cap):
    fits = estimate_bytes(TWO, name, min(floor, cap or floor), cap, n_features=64)
    if floor < (cap or 1000):  # which is to balance
        assert suggested(fits, name, cap) == f"Choose --floor {floor} or lower."
    assert suggested(fits - 1, name, cap) == f"Choose --floor {lower} or lower."


def test_no_floor_is_suggested_that_makes_nothing_and_does_not_fit():
    assert suggested(estimate_bytes(TWO, "smote", 1, n_features=64) - 1) \
        == "Keep fewer values (--pca), or choose --sampler none."


def suggested(limit, name="smote", cap=None):
    """What is said to do if balancing may take so many bytes."""
    with pytest.raises(InputError) as error:
        check_memory(TWO, name, "balance", cap, n_features=64, limit_bytes=limit)
    return str(error.value).split("may be used. ")[1]


def test_the_limit_is_half_of_what_is_available(monkeypatch):
    needed = estimate_bytes(LONG_TAIL, "smote", n_features=64)
    monkeypatch.setattr(memory, "available_memory", lambda: 2 * needed)
    check_memory(LONG_TAIL, "smote", n_features=64)
    monkeypatch.setattr(memory, "available_memory", lambda: 2 * needed - 2)
    with pytest.raises(InputError, match="may be used"):
        check_memory(LONG_TAIL, "smote", n_features=64)


def test_nothing_is_refused_where_the_memory_is_not_known(monkeypatch, impossible):
    monkeypatch.setattr(memory, "available_memory", lambda: None)
    check_memory(impossible, "smote", "balance", n_features=10 ** 6)
