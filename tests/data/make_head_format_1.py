"""Write format-1.head, the head file of format 1 that every later version must read.

    python tests/data/make_head_format_1.py tests/data/format-1.head

Never write it anew: a later version that cannot read it is wrong.
"""

import sys

import numpy as np

from plankton_features import HeadOptions, fit_head, make_folds, save_head
from plankton_features.heads.origin import Origin

CENTRES = {"bubble": 0.0, "Кладоцера": 1.5, "copepod": 3.0}


def main():
    rng = np.random.default_rng(7)
    labels = np.repeat(list(CENTRES), [40, 25, 8])
    X = rng.normal(size=(73, 6)) + np.array([CENTRES[label] for label in labels])[:, None]
    result = fit_head(
        X.astype(np.float32), labels, make_folds(labels, seed=0),
        HeadOptions(sampler="smote", floor=30, pca=4, min_precision=0.8),
        origin=Origin({"backbone": "pixels"}, "0123456789ab", [f"v{i}" for i in range(6)]))
    save_head(result.head, sys.argv[1])


if __name__ == "__main__":
    main()
