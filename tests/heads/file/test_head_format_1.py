"""A head file of format 1, kept as it was written, still predicts what it did."""

from pathlib import Path

import numpy as np

from plankton_features.heads import load_head

GOLDEN = Path(__file__).parents[2] / "data" / "format-1.head"


def test_the_golden_head_predicts_what_it_did():
    head = load_head(GOLDEN)
    X = np.array([[0] * 6, [1.5] * 6, [3, 2, 3, 2, 3, 2]], np.float32)
    found = head.classify(X)
    assert head.head_id == "7f3f230af525"
    assert head.classes[found.code].tolist() == ["bubble", "Кладоцера", "copepod"]
    assert found.accepted.tolist() == [True, True, False]
    expected = [[0.978054, 0.0, 0.021946], [0.013673, 0.002089, 0.984237],
                [0.000027, 0.583693, 0.416279]]
    assert np.allclose(found.probabilities, expected, atol=2e-6)
    assert head.recipe_id == "0123456789ab"
    assert head.info["options"]["sampler"] == "smote"
