import numpy as np
import pytest

from plankton_features.errors import InputError
from plankton_features.extraction import open_session
from plankton_features.heads import fit_head, make_folds
from plankton_features.heads.vectors import ArrayVectors, Vectors, VectorSource
from plankton_features.store import read_features


class Elsewhere:
    """Vectors that are no array and no file; counts how many rows were asked for at once."""

    def __init__(self, array):
        self.array, self.most = array, 0

    @property
    def shape(self):
        return self.array.shape

    def take(self, rows):
        self.most = max(self.most, len(rows))
        return self.array[rows].astype(np.float32)

    def iter_blocks(self, rows=10):
        yield from np.array_split(self.array, 3)


@pytest.fixture
def labelled(rows_of):
    X, y = rows_of([20, 20, 20])
    return X, np.array(["copepod", "diatom", "krill"])[y]


def test_any_source_of_vectors_gives_the_head_that_an_array_gives(labelled):
    X, labels = labelled
    folds, source = make_folds(labels, n_folds=3), Elsewhere(X)
    heads = [fit_head(features, labels, folds).head for features in (X, source)]
    assert np.array_equal(heads[0].predict_proba(X), heads[1].predict_proba(X))
    assert source.most == len(X)


def test_rows_of_a_source_are_those_asked_for(labelled):
    X, labels = labelled
    rows = np.flatnonzero(labels != "krill")
    folds = make_folds(labels[rows], n_folds=3)
    heads = [fit_head(features, labels[rows], folds, rows=of).head
             for features, of in ((X[rows], None), (Elsewhere(X), rows))]
    assert np.array_equal(heads[0].predict_proba(X), heads[1].predict_proba(X))


def test_a_feature_file_is_a_source_of_vectors(catalog, tmp_path):
    open_session(backbone="pixels", canvas=32).extract(catalog, tmp_path / "out.h5")
    file = read_features(tmp_path / "out.h5")
    assert isinstance(file, VectorSource)
    again = ArrayVectors(file.X)
    assert np.array_equal(np.concatenate(list(file.iter_blocks(7))),
                          np.concatenate(list(again.iter_blocks(7))))
    rows = [3, 0, 3]
    assert np.array_equal(Vectors(file).take(rows), Vectors(file.X).take(rows))


@pytest.mark.parametrize("features", [np.zeros(4), np.zeros((2, 2, 2)), Elsewhere(np.zeros(4))])
def test_only_tables_are_taken(features):
    with pytest.raises(InputError, match=r"expected shape \(rows, values\)"):
        Vectors(features)


def test_values_that_are_not_finite_are_refused_with_their_row():
    X = np.zeros((4, 2))
    X[2, 1] = np.nan
    with pytest.raises(InputError, match="row 2"):
        Vectors(Elsewhere(X), rows=[3, 2]).take([0, 1])
