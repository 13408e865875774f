import numpy as np
import pytest

from plankton_features.errors import InputError
from plankton_features.report import collect_pictures, matrix


def test_frequent_confusions_are_ordered_and_shared():
    found = matrix.frequent_confusions(np.array([[90, 3, 7], [4, 0, 0], [0, 7, 1]]))
    assert [(c.true, c.predicted, c.images, c.share) for c in found] == [
        (0, 2, 7, "7\u202f%"), (2, 1, 7, "87.5\u202f%"), (1, 0, 4, "100\u202f%"),
        (0, 1, 3, "3\u202f%")]


def test_no_confusion_is_an_empty_list():
    assert matrix.frequent_confusions(np.diag([3, 0, 5])) == []


def test_orders_are_permutations():
    rng = np.random.default_rng(0)
    counts = rng.poisson(0.3, (40, 40))
    counts[3] = counts[:, 3] = 0
    orders = matrix.orders_of([f"class {k}" for k in range(40)], counts)
    assert set(orders) == {"name", "support", "similarity"}
    assert all(sorted(order) == list(range(40)) for order in orders.values())
    support = counts.sum(axis=1)[orders["support"]]
    assert (np.diff(support) <= 0).all()


def test_similar_classes_are_neighbours():
    rng = np.random.default_rng(1)
    pairs = rng.permutation(20).reshape(10, 2)
    counts = np.diag(np.full(20, 30))
    counts[pairs[:, 0], pairs[:, 1]] = counts[pairs[:, 1], pairs[:, 0]] = 12
    order = np.array(matrix.similarity_order(counts))
    assert {frozenset(pair) for pair in order.reshape(10, 2).tolist()} == {
        frozenset(pair) for pair in pairs.tolist()}


def test_a_few_classes_have_no_similarity():
    assert set(matrix.orders_of(["b", "A", "c"], np.eye(3, dtype=int))) == {"name", "support"}
    assert matrix.orders_of(["b", "A", "c"], np.eye(3, dtype=int))["name"] == [1, 0, 2]


def test_the_payload_is_the_matrix(make_results):
    results, frame = make_results(["a", "b", "c", "d"])
    counts = matrix.counts_of(results)
    told = matrix.payload(results, counts, collect_pictures(frame, None))
    again = np.zeros_like(counts)
    for i, j, n in told["cells"]:
        again[i, j] = n
    assert (again == counts).all()
    assert told["support"] == counts.sum(axis=1).tolist()
    assert told["predicted"] == counts.sum(axis=0).tolist()
    paths = frame.set_index("path")
    assert all(paths.loc[row[0], ["label", "taxon"]].tolist()
               == [results["classes"][row[1]], results["classes"][row[2]]]
               for row in told["rows"])


def test_predictions_of_other_classes_are_passed_over(make_results):
    results, frame = make_results(["a", "b", "c"])
    frame["label"] = frame["label"].replace("c", "z")
    told = matrix.payload(results, matrix.counts_of(results), collect_pictures(frame, None))
    assert told["rows"]
    assert all(row[1] != 2 for row in told["rows"])


@pytest.mark.parametrize("counts", [[[1, 0]], [[1], [0]], [[1, 2], [3]], [[1, 0, 0], [0, 1, 0]]])
def test_a_matrix_of_another_size_is_refused(counts):
    with pytest.raises(InputError, match="confusion matrix of 2 x 2"):
        matrix.counts_of({"classes": ["a", "b"], "confusion": counts})
