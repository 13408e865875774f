"""Names of classes that a person may not have meant."""

import unicodedata

import pytest

from plankton_features.assessment.label_names import doubtful_labels


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
