"""Write format-1.h5, the file of format 1 that every later version must read.

    python tests/data/make_format_1.py tests/data/format-1.h5

It was written once, by the first version of the package; do not write it again. (Its `recipe_id`
was made up, which no real file's is, and was later set to that of its recipe.)
"""

import sys

import numpy as np

from plankton_features.store import Block, FeatureStore, Plan

HEADER = {
    "recipe": '{"background":"border","backbone":"pixels","canvas":64,"crop_bottom":0,'
              '"framing":"resize","gem_power":3.0,"interpolation":"bilinear",'
              '"layers":["thumbnail"],"normalization":"none","pooling":["avg"],'
              '"precision":"float32","size_features":true,"spp_levels":[1,2],"views":"none",'
              '"weights":"none"}',
    "catalog_n": "5", "catalog_path": "0011223344556677", "engine": "numpy",
    "precision": "float32", "device": "CPU", "batch": 2,
}
NOTES = {"recipe_id": "ad7c6d9f48d9", "weights_source": "none needed",
         "feature_blocks": '[["thumbnail_avg", 2], ["log_area", 1]]',
         "versions": '{"plankton_features": "0.1.0"}'}


def main(path):
    plan = Plan(5, 3, 2, {"path": 30, "label": 20, "group": 5, "id": 6})
    with FeatureStore(path, plan, HEADER, notes=NOTES) as store:
        store.append(Block(
            np.array([[0.5, -1.25, 3], [7, 8, 9]], np.float32),
            {"path": ["Кладоцера/1.png", "bubble/2.png"], "label": ["Кладоцера", "bubble"],
             "group": ["tow 1", ""], "id": ["é🦐", ""], "sha256": ["0a" * 32, "0b" * 32],
             "width": [20, 300], "height": [10, 200], "position": [0, 2]},
            {"path": ["bubble/broken.jpg"], "label": ["bubble"], "stage": ["decode"],
             "reason": ["cannot be decoded: broken"], "position": [1]}))
        store.append(Block(
            np.array([[1, 2, 3]], np.float32),
            {"path": ["bubble/3.png"], "label": ["bubble"], "sha256": ["0c" * 32],
             "width": [1], "height": [1], "position": [4]},
            duplicates={"path": ["bubble/copy.png"], "label": ["bubble"], "group": ["tow 2"],
                        "id": ["7"], "row": [0], "position": [3]}))
        store.finish({"n_found": 5})


if __name__ == "__main__":
    main(sys.argv[1])
