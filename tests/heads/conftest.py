import numpy as np
import pytest
from threadpoolctl import threadpool_limits


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    """Small arrays gain nothing from threads, which wait for each other on a busy machine."""
    with threadpool_limits(1):
        yield


def draw_rows(sizes, seed=0, spread=1.0, n_features=4, dtype=np.float32):
    """Classes 0..K-1 of these sizes in shuffled order, further apart with less `spread`."""
    rng = np.random.default_rng(seed)
    y = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))
    X = rng.normal(size=(len(sizes), n_features))[y]
    return (X + spread * rng.normal(size=X.shape)).astype(dtype), y


@pytest.fixture(scope="session")
def rows_of():
    """The function that draws overlapping classes: (sizes, seed, spread, ...) -> X, y."""
    return draw_rows
