"""Whatever is at fault is named, and told with what to do."""

import unicodedata

import numpy as np
import pytest

from plankton_features.assessment.abstention import summarize_abstention
from plankton_features.assessment.calibration.confidence import signed_gap
from plankton_features.assessment.calibration.reliability import class_wise_ece
from plankton_features.assessment.checks import (
    as_confidences,
    as_labels,
    as_probabilities,
    doubtful_labels,
    same_length,
)
from plankton_features.assessment.confusion import confusion_matrix
from plankton_features.assessment.intervals import bootstrap
from plankton_features.assessment.lineage_scores import score_lineages
from plankton_features.assessment.summary import summarize
from plankton_features.assessment.thresholds import apply_thresholds
from plankton_features.errors import InputError

P = np.array([[0.5, 0.5], [0.2, 0.8]])
CALLS = {
    "abstention": lambda y, pred: summarize_abstention(y, pred, np.ones(len(y), bool), 2),
    "apply_thresholds": lambda y, pred: apply_thresholds(y, pred, np.ones(len(y)), [0, 0]),
    "bootstrap": lambda y, pred: bootstrap(y, pred, 2),
    "confusion": lambda y, pred: confusion_matrix(y, pred, 2),
    "lineage_scores": lambda y, pred: score_lineages(y, pred, [[1, 1, 0], [1, 0, 1]]),
    "signed_gap": lambda y, pred: signed_gap(y, P, y_pred=pred),
    "summarize": lambda y, pred: summarize(y, pred, P),
}
calls = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


def told(call, *args, **options):
    with pytest.raises(InputError) as error:
        call(*args, **options)
    return str(error.value)


@calls
@pytest.mark.parametrize("wrong", [[0, 2], [-1, 0]])
def test_labels_out_of_range_are_named(call, wrong):
    ends = f"{min(wrong)}..{max(wrong)}"
    assert told(call, wrong, [0, 1]) == f"y_true: expected class numbers 0..1, got {ends}."
    assert told(call, [0, 1], wrong) == f"y_pred: expected class numbers 0..1, got {ends}."


@calls
def test_lengths_that_differ_are_told_by_name(call):
    assert told(call, [0, 1], [0, 1, 1]).startswith("expected one entry per row in each, got le")
    assert "y_pred 3" in told(call, [0, 1], [0, 1, 1])


@pytest.mark.parametrize(("labels", "got"), [
    (["a"], "(1,) of <U1"), ([], "(0,) of float64"), ([[0, 1]], "(1, 2) of int64"),
    ([0.0], "(1,) of float64"), ([True], "(1,) of bool")])
def test_labels_are_whole_numbers_in_a_row(labels, got):
    assert told(as_labels, labels, 2, "y") == (
        f"y: expected a row of at least one whole class number, got shape {got}. Encode class "
        "names as 0..K-1 first.")


def test_labels_may_be_of_any_whole_type():
    for dtype in (np.uint8, np.int16, np.int64):
        assert as_labels(np.array([0, 1], dtype), 2).dtype == np.int64


@pytest.mark.parametrize(("p", "message"), [
    ([0.5, 0.5], "expected an array of shape (rows, classes), got shape (2,)."),
    (np.empty((0, 2)), "expected an array of shape (rows, classes), got shape (0, 2)."),
    ([[-0.5, 1.5]], "expected numbers in [0, 1], got -0.5..1.5. Are these logits?"),
    ([[0.5, np.nan]], "expected numbers in [0, 1], got nan..nan. Are these logits?"),
    ([[0, 1], [0.5, 0.25]], "each row must sum to 1, got a row that misses it by 0.25."),
    ([[0, 1], [0.5, 0.75]], "each row must sum to 1, got a row that misses it by 0.25.")])
def test_what_are_no_probabilities(p, message):
    assert told(as_probabilities, p) == f"probabilities: {message}"


@pytest.mark.parametrize(("p", "message"), [
    ([[0.5]], "expected a row of numbers, got shape (1, 1)."),
    ([], "expected a row of numbers, got shape (0,)."),
    ([-0.5, 1], "expected numbers in [0, 1], got -0.5..1."),
    ([0.5, np.inf], "expected numbers in [0, 1], got 0.5..inf.")])
def test_what_are_no_confidences(p, message):
    assert told(as_confidences, p) == f"confidences: {message}"


def test_zero_one_and_rounding_are_in_range():
    assert as_probabilities([[0, 1 + 1e-6], [1, 0]]).max() > 1
    assert as_confidences([0, 1, 1 + 1e-6]).tolist() == [0, 1, 1 + 1e-6]
    assert class_wise_ece([0], [[1 + 1e-6, 0]]).tolist() == [0, 0]


def test_whole_numbers_and_float32_become_float64():
    for dtype in (np.int8, np.float32):
        assert as_confidences(np.array([0, 1], dtype)).dtype == np.float64
        assert as_probabilities(np.eye(2, dtype=dtype)).dtype == np.float64


def test_same_length():
    same_length(a=np.zeros(2), b=np.zeros((2, 3)))
    assert told(same_length, a=np.zeros(2), b=np.zeros(3)) == (
        "expected one entry per row in each, got lengths a 2, b 3.")


@pytest.mark.parametrize(("first", "second"), [
    ("Copepoda", "copepoda"), ("Copepoda", "Copepoda "), ("Copepoda", " COPEPODA"),
    ("Calanus sp", "Calanus  sp"), ("Calanus sp", "Calanus\u00a0sp"), ("Salpida", "Salpida\u200b"),
    ("Straße", "STRASSE"), ("Salpa 1", "Salpa １"),
    (unicodedata.normalize("NFC", "é"), unicodedata.normalize("NFD", "é")),
])
def test_names_that_look_alike_are_told(first, second):
    told = doubtful_labels([first, second, second, "Fritillaria", ""])
    assert len(told) == 1
    assert f"'{first}' (1 image)" in told[0]
    assert f"'{second}' (2 images)" in told[0]
    assert "differ only in case, spaces" in told[0]


def test_other_names_are_not_told():
    assert not doubtful_labels(["Copepoda", "Copepodb", "copepod_a", "Nanomia", "Nonea", "", ""])
    assert not doubtful_labels([])


@pytest.mark.parametrize("name", ["NA", "nan", "N/A", "#N/A", "NULL", "None", "<NA>"])
def test_names_for_missing_labels_are_told(name):
    told = doubtful_labels(["Copepoda", name])
    assert told == [f"'{name}' (1 image) is a class. If it stands for a missing label, leave the "
                    "label empty."]
