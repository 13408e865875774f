"""Rows without a label are no class."""

import numpy as np
import pandas as pd
import pytest

from plankton_features.errors import InputError
from plankton_features.heads import fit_head, labelled_rows, make_folds, make_split

GOOD = ["copepod", "diatom"] * 15
#: The same with every fifth missing, as files, tables and data frames have it.
MISSING = {
    "empty": np.array([name if i % 5 else "" for i, name in enumerate(GOOD)]),
    "blank": np.array([name if i % 5 else "  " for i, name in enumerate(GOOD)], object),
    "none": np.array([name if i % 5 else None for i, name in enumerate(GOOD)], object),
    "nan": pd.Series([name if i % 5 else np.nan for i, name in enumerate(GOOD)]),
    "NA": pd.array([name if i % 5 else pd.NA for i, name in enumerate(GOOD)], dtype="string"),
}
LABELLED = [i for i in range(30) if i % 5]


@pytest.fixture
def features():
    rng = np.random.default_rng(0)
    return rng.normal(size=(30, 3)) + 4 * (np.array(GOOD) == "diatom")[:, None]


@pytest.mark.parametrize("labels", MISSING.values(), ids=MISSING)
def test_missing_labels_are_refused(features, labels):
    for call in (lambda: make_folds(labels), lambda: make_split(labels),
                 lambda: fit_head(features, labels, make_folds(GOOD))):
        with pytest.raises(InputError, match="6 of 30 rows have none, the first is row 0"):
            call()


@pytest.mark.parametrize("labels", MISSING.values(), ids=MISSING)
def test_labelled_rows_are_learnt_from(features, labels):
    rows = labelled_rows(labels)
    assert rows.tolist() == LABELLED
    known = np.asarray(labels, object)[rows]
    head = fit_head(features, known, make_folds(known, n_folds=3), rows=rows).head
    assert head.classes.tolist() == ["copepod", "diatom"]
    # As if the others were not there.
    alone = fit_head(features[rows], known, make_folds(known, n_folds=3)).head
    assert np.array_equal(head.classify(features).probabilities,
                          alone.classify(features).probabilities)


def test_numbers_are_labels():
    assert labelled_rows([0, 1, 0]).tolist() == [0, 1, 2]
    assert labelled_rows(np.array([0.0, np.nan])).tolist() == [0]


@pytest.mark.parametrize("labels", [[], ["", None]])
def test_no_label_at_all(labels):
    with pytest.raises(InputError, match="no image has a label"):
        labelled_rows(labels)
