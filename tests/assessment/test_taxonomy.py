import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from plankton_features.assessment.intervals import bootstrap
from plankton_features.assessment.lineage_encoder import LineageEncoder
from plankton_features.assessment.lineage_scores import (
    rank_accuracies,
    score_lineages,
    taxonomy_to_json,
)
from plankton_features.assessment.taxonomy import Taxonomy, lineage_matrix, node_probabilities
from plankton_features.errors import InputError

TABLE = [
    ("Calanus", "Copepoda", "genus"), ("Eukaryota", "", ""), ("Metazoa", "Eukaryota", "kingdom"),
    ("Copepoda", "Metazoa", "class"), ("Oithona", "Copepoda", "genus"), ("detritus", "", ""),
    ("Annelida", "Metazoa", "phylum"), ("Кладоцеры", "Metazoa", "")]
CLASSES = ["Calanus", "Oithona", "Copepoda", "Annelida", "detritus"]
TRUE = [0, 0, 0, 2, 3, 4, 4, 1]
PREDICTED = [0, 1, 2, 0, 4, 4, 3, 2]


def taxa(*rows):
    return Taxonomy.from_table(*zip(*rows, strict=True))


SMALL = taxa(*TABLE)


@st.composite
def forests(draw):
    """Rows of a table in any order, and some of their names, at mixed depth, as classes."""
    n = draw(st.integers(1, 12))
    names = [f"{draw(st.sampled_from('abжщ'))}{i}" for i in range(n)]
    rows = [(name, draw(st.sampled_from(["", *names[:i]])),
             draw(st.sampled_from(["", "order", "family", "clade"])))
            for i, name in enumerate(names)]
    classes = draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    return draw(st.permutations(rows)), classes


@st.composite
def answers(draw):
    rows, classes = draw(forests())
    pairs = st.tuples(*2 * [st.integers(0, len(classes) - 1)])
    return rows, classes, *zip(*draw(st.lists(pairs, min_size=1, max_size=20)), strict=True)


def climb(rows, name):
    """A taxon and its ancestors, from the table alone."""
    parents, found = {row[0]: row[1] for row in rows}, []
    while name:
        found.append(name)
        name = parents[name]
    return found


def estimates(found):
    return [float(one.estimate) for one in
            (found.precision, found.recall, found.f1, found.other_depth)]


# taxonomy

def test_lineages_are_told_from_the_taxon_to_the_root():
    assert SMALL.lineage("Calanus") == ("Calanus", "Copepoda", "Metazoa", "Eukaryota")
    assert SMALL.lineage_text("Кладоцеры") == "Кладоцеры -> Metazoa -> Eukaryota"
    assert SMALL.lineage_text("detritus") == "detritus"
    assert SMALL.parents[:3] == (3, -1, 1)
    assert SMALL.ranks[0] == "genus"
    assert "Calanus" in SMALL
    assert "Temora" not in SMALL


def test_tables_of_pandas_and_names_of_other_forms_fit():
    table = pd.DataFrame({"name": ["Ве́слоногие рачки\u0306 ", "й", "й"],
                          "parent": [np.nan, " Ве́слоногие рачки\u0306", "Ве́слоногие рачки\u0306"]})
    found = Taxonomy.from_table(table["name"], table["parent"])
    assert found.parents == (-1, 0)
    assert found.ranks == ("", "")
    assert "и\u0306" in found
    assert found.lineage("и\u0306") == found.lineage("й")
    assert found == Taxonomy.from_table(table["name"], table["parent"], [None, np.nan, ""])


def test_a_single_taxon_is_a_taxonomy():
    one = Taxonomy.from_table(["bubble"], [""])
    nodes, A = lineage_matrix(one, ["bubble"])
    assert (nodes, A.tolist()) == (("bubble",), [[True]])
    assert node_probabilities([[1.0]], A).tolist() == [[1.0]]
    assert estimates(score_lineages([0, 0], [0, 0], A)) == [1, 1, 1, 0]
    assert rank_accuracies([0, 0], [0, 0], one, ["bubble"]) == []
    assert LineageEncoder(one).fit(["bubble"]).inverse_transform([[1]]).tolist() == ["bubble"]


def test_lineages_may_be_long():
    names = [str(i) for i in range(20_000)]
    chain = Taxonomy.from_table(names, ["", *names[:-1]])
    assert len(chain.lineage("19999")) == 20_000


@given(forests())
def test_a_taxonomy_comes_back_from_json(forest):
    found = taxa(*forest[0])
    assert Taxonomy.from_dict(json.loads(json.dumps(found.to_dict()))) == found
    for name in found.names:
        assert list(found.lineage(name)) == climb(forest[0], name)


@pytest.mark.parametrize(("rows", "message"), [
    ([("a", "b", ""), ("b", "c", ""), ("c", "b", "")], r"^taxonomy: parents go in a circle: "
     r"b -> c -> b\. Leave the parent of the uppermost taxon empty\.$"),
    ([("a", "a", "")], "circle: a -> a"),
    ([("a", "", ""), ("a", "b", "genus"), ("b", "", "")],
     r"^taxonomy: expected one parent and rank for each name, got more for a \(a root; "
     r"b, genus\)\. Give taxa of the same name names of their own\.$"),
    ([("a", "", "genus"), ("a", "", "order")], r"more for a \(genus; order\)"),
    ([("a", "Б", ""), ("b", "a", "")], r"^taxonomy: parents that are not in the table: "
     r"Б \(of a\)\. Add a row for each, without a parent if it is a root\.$"),
    ([(f"{i}", f"p{i}", "") for i in range(7)], r"p4 \(of 4\) and 2 more"),
    ([("a", "", ""), (" ", "a", "")],
     r"^taxonomy: row 2 has no name \(its parent: a\)\. Name it or delete it\.$"),
    ([("", "", "")], r"row 1 has no name \(its parent: none\)"),
])
def test_tables_that_are_no_forest_are_refused(rows, message):
    with pytest.raises(InputError, match=message):
        taxa(*rows)


NO_LINEAGES = (r"^A: expected the 0 and 1 of lineage_matrix, where the first node of a row is a "
               r"root and each further one is below it; got another array of shape \(.*\)\. Make "
               r"it anew and keep the order of its columns\.$")


@pytest.mark.parametrize(("call", "message"), [
    (lambda: Taxonomy.from_table([], []),
     r"^taxonomy: expected at least one taxon, got an empty table\.$"),
    (lambda: Taxonomy.from_table(["a"], []),
     r"^parents: expected one for each of 1 names, got 0\.$"),
    (lambda: Taxonomy.from_table(["a"], [""], ["x", "y"]), "^ranks: .* got 2"),
    (lambda: SMALL.lineage("Temora"),
     r"^taxonomy: Temora is not in it\. Add a row for it to the table\.$"),
    (lambda: lineage_matrix(SMALL, ["Calanus", "Temora", "fibre", "Temora"]),
     r"^classes: expected names in the taxonomy, got Temora, fibre\. Add a row to the table for "
     r"each class\.$"),
    (lambda: lineage_matrix(SMALL, []), "got none"),
    (lambda: node_probabilities([[1.0]], np.eye(2)),
     r"^probabilities: expected 2 columns, one for each row of A, got 1\.$"),
    (lambda: node_probabilities([[0.5, 2.0]], np.eye(2)), "logits"),
    *((lambda A=A: node_probabilities([[0.5, 0.5]], A), NO_LINEAGES) for A in (
        [1, 0], [[1, 0], [0, 0]], [[0.5, 1], [0, 1]], [[1, 1], [0, 1]], np.empty((0, 0)))),
    *((lambda stored=stored: Taxonomy.from_dict(stored),
       "^taxonomy: expected lists of text called names, parents and ranks. Is this what "
       "Taxonomy.to_dict wrote?")
      for stored in (None, [], "abc", {}, {"names": ["a"], "parents": [""]},
                     {"names": "a", "parents": "a", "ranks": "a"},
                     {"names": ["a"], "parents": [-1], "ranks": [""]})),
    (lambda: Taxonomy.from_dict({"names": ["a"], "parents": ["a"], "ranks": [""]}), "circle"),
])
def test_wrong_input_is_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()


# lineage_matrix, node_probabilities

def test_nodes_by_hand():
    nodes, A = lineage_matrix(SMALL, CLASSES)
    assert nodes == ("Eukaryota", "detritus", "Metazoa", "Annelida", "Copepoda", "Calanus",
                     "Oithona")
    assert A.dtype == bool
    assert A.astype(int).tolist() == [
        [1, 0, 1, 0, 1, 1, 0], [1, 0, 1, 0, 1, 0, 1], [1, 0, 1, 0, 1, 0, 0],
        [1, 0, 1, 1, 0, 0, 0], [0, 1, 0, 0, 0, 0, 0]]
    np.testing.assert_allclose(node_probabilities([[0.1, 0.2, 0.3, 0.15, 0.25]], A),
                               [[0.75, 0.25, 0.75, 0.15, 0.6, 0.1, 0.2]], rtol=0, atol=1e-12)


def test_rounding_takes_no_node_above_1():
    assert node_probabilities([[0.6, 0.4 + 5e-5]], [[1, 1, 0], [1, 0, 1]])[0, 0] == 1


@given(forests(), st.randoms(use_true_random=False))
def test_nodes_hold_the_classes_below_them(forest, random):
    rows, classes = forest
    nodes, A = lineage_matrix(taxa(*rows), classes)
    assert list(nodes) == sorted(nodes, key=lambda name: (len(climb(rows, name)), name))
    p = np.array([random.random() + 1e-3 for _ in classes])
    found = node_probabilities([p / p.sum()], A)[0]
    for j, node in enumerate(nodes):
        below = [k for k, name in enumerate(classes) if node in climb(rows, name)]
        assert np.flatnonzero(A[:, j]).tolist() == below
        assert found[j] == pytest.approx(p[below].sum() / p.sum(), abs=1e-12)
        for above in climb(rows, node)[1:]:
            assert A[A[:, j], nodes.index(above)].all()
            assert found[nodes.index(above)] >= found[j] - 1e-12


# LineageEncoder

@given(forests())
def test_labels_come_back(forest):
    rows, classes = forest
    encoder = LineageEncoder(taxa(*rows)).fit(classes)
    assert encoder.classes_.tolist() == sorted(classes)
    for labels in (classes, encoder.nodes_.tolist()):
        encoded = encoder.transform(labels)
        assert encoded.dtype == np.uint8
        assert [set(encoder.nodes_[row == 1]) for row in encoded] == [
            set(climb(rows, label)) for label in labels]
        assert encoder.inverse_transform(encoded).tolist() == labels


def test_rows_are_those_of_the_lineage_matrix():
    encoder = LineageEncoder(SMALL)
    encoded = encoder.fit_transform(np.array(CLASSES, dtype=object))
    nodes, A = lineage_matrix(SMALL, CLASSES)
    np.testing.assert_array_equal(encoded, A)
    assert tuple(encoder.nodes_) == nodes
    np.testing.assert_array_equal(encoder.transform(y=CLASSES), A)


def test_the_encoder_is_one_of_scikit_learn():
    encoder = LineageEncoder(SMALL)
    assert encoder.get_params() == {"taxonomy": SMALL}
    twin = clone(encoder.fit(CLASSES))
    assert twin.taxonomy == SMALL
    assert not hasattr(twin, "nodes_")
    for call in (twin.transform, twin.inverse_transform):
        with pytest.raises(NotFittedError):
            call(CLASSES)


@pytest.mark.parametrize(("row", "message"), [
    ([0, 0, 0, 0, 0, 1, 0], "row 1 has Calanus without Eukaryota, Metazoa, Copepoda"),
    ([1, 0, 1, 0, 1, 1, 1], "row 1 has both Oithona and Calanus"),
    ([1, 1, 0, 0, 0, 0, 0], "both detritus and Eukaryota"),
    ([0] * 7, "row 1 has no taxon. Set a taxon with all its ancestors"),
    ([0.9, 0, 0, 0, 0, 0, 0], r"^Y: expected lineages of 0 and 1, but row 1 has other "
     r"numbers\. Set a taxon with all its ancestors, and no other\.$"),
    ([np.nan, 0, 1, 0, 1, 1, 0], "other numbers"),
])
def test_rows_that_are_no_lineage_are_refused(row, message):
    encoder = LineageEncoder(SMALL).fit(CLASSES)
    with pytest.raises(InputError, match=message):
        encoder.inverse_transform([[1, 0, 0, 0, 0, 0, 0], row])


@pytest.mark.parametrize(("call", "message"), [
    (lambda one: one.fit(["Temora", None]), "got an empty name, Temora"),
    (lambda one: one.fit([]), "at least one name"),
    (lambda one: one.transform(["Кладоцеры"]), "got Кладоцеры. Fit with all labels"),
    (lambda one: one.transform([["Calanus"]]), r"got shape \(1, 1\)"),
    (lambda one: one.inverse_transform([[1, 0]]), r"expected shape \(rows, 7\)"),
])
def test_wrong_labels_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call(LineageEncoder(SMALL).fit(CLASSES))


# lineage_scores, rank_accuracies

def test_scores_by_hand():
    found = score_lineages(TRUE, PREDICTED, lineage_matrix(SMALL, CLASSES)[1])
    # common 3 2 2 2 0 1 0 2, true 3 3 3 2 2 1 1 3, predicted 3 3 2 3 1 1 2 2; no Eukaryota
    assert estimates(found) == pytest.approx([12 / 17, 12 / 18, 24 / 35, 3 / 8], abs=1e-12)
    assert "Only 8 rows" in found.caution


def test_a_root_counts_where_it_is_a_class():
    A = lineage_matrix(taxa(("a", "", ""), ("b", "a", ""), ("c", "a", "")), ["a", "b", "c"])[1]
    assert estimates(score_lineages([1], [0], A)) == pytest.approx([1, 1 / 2, 2 / 3, 1])
    assert estimates(score_lineages([1], [2], A)) == pytest.approx([1 / 2, 1 / 2, 1 / 2, 0])
    assert estimates(score_lineages([0], [1], A[1:])) == [0, 0, 0, 0]


@given(answers())
def test_scores_are_those_of_sets(case):
    rows, classes, true, predicted = case
    found = score_lineages(true, predicted, lineage_matrix(taxa(*rows), classes)[1],
                           n_replicates=2)
    roots = {row[0] for row in rows if not row[1]} - set(classes)
    sets = [set(climb(rows, name)) - roots for name in classes]
    common = sum(len(sets[t] & sets[p]) for t, p in zip(true, predicted, strict=True))
    n_true, n_predicted = (sum(len(sets[k]) for k in side) for side in (true, predicted))
    other = sum(t != p and (classes[t] in climb(rows, classes[p])
                            or classes[p] in climb(rows, classes[t]))
                for t, p in zip(true, predicted, strict=True))
    assert estimates(found) == pytest.approx(
        [common / n_predicted, common / n_true, 2 * common / (n_true + n_predicted),
         other / len(true)], abs=1e-12)


@given(answers())
def test_perfect_predictions_score_1(case):
    rows, classes, true, _ = case
    taxonomy = taxa(*rows)
    found = score_lineages(true, true, lineage_matrix(taxonomy, classes)[1], n_replicates=5)
    assert estimates(found) == [1, 1, 1, 0]
    assert all(one.accuracy.estimate == 1 for one in
               rank_accuracies(true, true, taxonomy, classes, n_replicates=2) if one.rows)


def test_classes_that_are_all_roots_have_plain_accuracy():
    rng = np.random.default_rng(0)
    true, predicted = rng.integers(3, size=(2, 200))
    units = np.arange(200) // 4
    found = score_lineages(true, predicted, np.eye(3), units=units, seed=3)
    flat = bootstrap(true, predicted, 3, groups=units, seed=3).interval("accuracy")
    for one in (found.precision, found.recall, found.f1):
        np.testing.assert_allclose([one.estimate, one.low, one.high],
                                   [flat.estimate, flat.low, flat.high], rtol=0, atol=1e-12)
    assert found.caution == ""


def test_intervals_cover():
    A = lineage_matrix(SMALL, CLASSES)[1]
    size, held = np.array([3, 3, 2, 2, 1]), []
    for seed in range(1000):  # 3000 of these: 94.5 to 95.0 %; the standard error of 1000 is 0.7 %
        rng = np.random.default_rng([21, seed])
        true = rng.integers(5, size=300)
        predicted = np.where(rng.random(300) < 0.7, true, 4)  # else it is called detritus
        found = score_lineages(true, predicted, A, n_replicates=300, seed=seed)
        common = 0.7 * size[:4].sum() + 1
        truth = [common / (common + 0.3 * 4), common / size.sum()]
        held.append([one.low <= value <= one.high for one, value in
                     zip((found.precision, found.recall), truth, strict=True)])
    shares = np.mean(held, axis=0)
    print(shares)
    assert ((shares >= 0.93) & (shares <= 0.97)).all(), shares


def test_ranks_by_hand():
    found = rank_accuracies(TRUE, PREDICTED, SMALL, CLASSES)
    assert [(one.rank, one.rows, float(one.accuracy.estimate)) for one in found] == [
        ("kingdom", 6, pytest.approx(5 / 6)), ("class", 5, 1), ("phylum", 1, 0),
        ("genus", 4, 0.25)]
    assert found[0].accuracy.low < 5 / 6 < found[0].accuracy.high


@given(answers())
def test_ranks_are_those_of_sets(case):
    rows, classes, true, predicted = case
    ranks = {row[0]: row[2] for row in rows}

    def nearest(k, rank):
        return next((name for name in climb(rows, classes[k]) if ranks[name] == rank), None)

    found = rank_accuracies(true, predicted, taxa(*rows), classes, n_replicates=2)
    reached = {ranks[name] for one in classes for name in climb(rows, one)} - {""}
    assert {one.rank for one in found} == reached
    for one in found:
        right = [nearest(t, one.rank) == nearest(p, one.rank)
                 for t, p in zip(true, predicted, strict=True) if nearest(t, one.rank)]
        assert one.rows == len(right)
        assert one.accuracy.estimate == pytest.approx(np.mean(right) if right else np.nan,
                                                      abs=1e-12, nan_ok=True)


@pytest.mark.parametrize(("rows", "order"), [
    # a family found nearer to a root than any order, and orders that end deep down
    ([("r", "", "kingdom"), ("o", "r", "order"), ("f", "o", "family"), ("g", "r", "family"),
      ("x", "r", ""), ("y", "x", ""), ("z", "y", "order")], ["kingdom", "order", "family"]),
    # clades above and below an order
    ([("r", "", "clade"), ("o", "r", "order"), ("c", "o", "clade"), ("s", "c", "species")],
     ["clade", "order", "species"]),
])
def test_ranks_come_from_roots_to_tips(rows, order):
    found = rank_accuracies([0], [0], taxa(*rows), [row[0] for row in rows])
    assert [one.rank for one in found] == order


@pytest.mark.parametrize(("call", "message"), [
    (lambda: score_lineages([5], [0], np.eye(5)), "y_true: expected class numbers 0..4"),
    (lambda: score_lineages([0], [0, 1], np.eye(5)), "y_pred 2"),
    (lambda: score_lineages([0], [0], np.zeros((2, 2))), "0 and 1 of lineage_matrix"),
    (lambda: score_lineages([0], [0], np.eye(2), units=["a", "b"]), "groups"),
    (lambda: rank_accuracies([0], [5], SMALL, CLASSES), "y_pred: expected class numbers 0..4"),
    (lambda: rank_accuracies([0], [0], SMALL, ["Temora"]), "Temora"),
])
def test_wrong_rows_are_refused(call, message):
    with pytest.raises(InputError, match=message):
        call()


def test_json():
    scores = score_lineages(TRUE[:3], PREDICTED[:3], lineage_matrix(SMALL, CLASSES)[1])
    ranks = rank_accuracies(TRUE[:3], PREDICTED[:3], SMALL, CLASSES)
    found = taxonomy_to_json(scores, ranks, SMALL, CLASSES)
    assert json.loads(json.dumps(found, allow_nan=False)) == found
    assert list(found) == ["precision", "recall", "f1", "other_depth", "ranks", "lineages"]
    assert found["recall"] == {"estimate": scores.recall.estimate, "low": scores.recall.low,
                               "high": scores.recall.high}
    assert [(one["rank"], one["rows"]) for one in found["ranks"]] == [
        ("kingdom", 3), ("class", 3), ("phylum", 0), ("genus", 3)]
    assert found["ranks"][2]["accuracy"] == {"estimate": None, "low": None, "high": None}
    assert list(found["lineages"]) == CLASSES
    assert found["lineages"]["Oithona"] == "Oithona -> Copepoda -> Metazoa -> Eukaryota"
