"""Finding and downloading weights, against a server on this machine; nothing builds a network."""

from __future__ import annotations

import hashlib
import threading
import time
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from plankton_features.embedding import download as download_module
from plankton_features.embedding import find_weights, get_backbone, resolve_weights
from plankton_features.embedding import weights as weights_module
from plankton_features.embedding.backbones import BACKBONES
from plankton_features.embedding.download import download
from plankton_features.embedding.weights import keras_cache, local_file, resolve_auto
from plankton_features.errors import InputError, WeightsError

CONTENT = bytes(range(256)) * 9000  # 2.3 MB: several blocks
LITE_SHA = "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db"


def sha256(content):
    return "sha256:" + hashlib.sha256(content).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Answers as `server.answer` says."""

    def do_GET(self):
        self.server.asked.append(self.path)
        getattr(self, f"answer_{self.server.answer}")()

    def log_message(self, *args):
        """Say nothing."""

    def begin(self, length):
        self.send_response(200)
        if length:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def answer_well(self):
        self.begin(len(CONTENT))
        self.wfile.write(CONTENT)

    def answer_without_length(self):
        self.begin(None)
        self.wfile.write(CONTENT)

    def answer_other(self):
        self.begin(5)
        self.wfile.write(b"other")

    def answer_half(self):
        self.begin(len(CONTENT))
        self.wfile.write(CONTENT[: len(CONTENT) // 2])

    def answer_404(self):
        self.send_error(404)

    def answer_nothing(self):
        self.server.released.wait(20)

    def answer_half_and_hang(self):
        self.begin(len(CONTENT))
        self.wfile.write(CONTENT[: len(CONTENT) // 2])
        self.server.released.wait(20)

    def answer_drop_by_drop(self):
        self.begin(len(CONTENT))
        while not self.server.released.wait(0.05):
            self.wfile.write(b"x")

    def answer_garbage(self):
        self.wfile.write(b"this is not HTTP\r\n\r\n")


@pytest.fixture
def server(monkeypatch):
    """A server in the place of Keras', whose inception_v3 is `CONTENT`."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.answer, server.asked, server.released = "well", [], threading.Event()
        server.handle_error = lambda *args: None  # the client may be gone
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        monkeypatch.setenv("no_proxy", "127.0.0.1")
        publish(monkeypatch, hashlib.md5(CONTENT).hexdigest(), server.server_port)
        yield server
        server.released.set()
        server.shutdown()


def publish(monkeypatch, digest, port=None):
    """Let InceptionV3's weights have that digest, and lie on a server of this machine."""
    known = get_backbone("inception_v3")
    url = (f"http://127.0.0.1:{port}/inception_v3/{known.weights_file}" if port else
           known.weights_url)
    published = replace(known, weights_digest=digest, weights_url=url)
    monkeypatch.setitem(BACKBONES._built_in, "inception_v3", published)


@pytest.fixture
def home(tmp_path, monkeypatch):
    """An empty folder for Keras' downloads."""
    folder = tmp_path / "keras home"
    monkeypatch.setenv("KERAS_HOME", str(folder))
    return folder / "models"


@pytest.fixture
def no_network(monkeypatch):
    """Nobody listens where weights would come from."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    publish(monkeypatch, get_backbone("inception_v3").weights_digest, port=9)


def test_weights_are_downloaded_to_where_keras_keeps_them(server, home):
    found = resolve_weights("inception_v3")
    name = "inception_v3_weights_tf_dim_ordering_tf_kernels_notop.h5"
    assert found.identity == sha256(CONTENT)
    assert found.file == home / name
    assert found.file.read_bytes() == CONTENT
    assert found.source == f"ImageNet ({name})"
    assert server.asked == [f"/inception_v3/{name}"]
    assert list(home.iterdir()) == [found.file]


def test_weights_are_downloaded_once(server, home):
    assert resolve_weights("inception_v3") == resolve_weights("inception_v3")
    assert len(server.asked) == 1


def test_without_keras_home_weights_lie_in_the_home_folder(monkeypatch, tmp_path):
    monkeypatch.delenv("KERAS_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    assert keras_cache() == tmp_path / ".keras" / "models"


def test_progress_is_reported_to_the_end(server, home):
    seen = []
    target = home / "weights.h5"
    download(get_backbone("inception_v3"), target, progress=lambda *now: seen.append(now))
    assert seen[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_a_server_may_keep_the_length_to_itself(server, home):
    server.answer = "without_length"
    assert resolve_weights("inception_v3").identity == sha256(CONTENT)


FAILURES = [
    ("other", r"what came is another file: md5 \w+, got \w+"),
    ("half", "the connection ended after [0-9]+ of 2304000 bytes"),
    ("404", "404"),
    ("nothing", "timed out"),
    ("half_and_hang", "timed out"),
    ("garbage", "this is not HTTP"),
]


@pytest.mark.parametrize(("answer", "reason"), FAILURES)
def test_a_failed_download_says_what_to_do_and_leaves_nothing(server, home, monkeypatch, answer,
                                                              reason):
    monkeypatch.setattr(download_module, "STALL_SECONDS", 0.3)
    server.answer = answer
    with pytest.raises(WeightsError, match=reason) as caught:
        resolve_weights("inception_v3")
    message = str(caught.value)
    backbone = get_backbone("inception_v3")
    assert backbone.weights_url in message
    assert str(home / backbone.weights_file) in message
    for way_out in ("--weights FILE", "--backbone efficientnet_lite0", "--weights random"):
        assert way_out in message
    assert not list(home.iterdir())


def test_a_short_file_is_noticed_without_a_published_digest(server, home, monkeypatch):
    publish(monkeypatch, "")
    server.answer = "half"
    with pytest.raises(WeightsError, match="the connection ended after"):
        resolve_weights("inception_v3")
    assert not list(home.iterdir())


def test_a_server_that_trickles_does_not_outlive_the_time_limit(server, home):
    server.answer = "drop_by_drop"
    started = time.monotonic()
    with pytest.raises(WeightsError, match="not finished after 1 s"):
        download(get_backbone("inception_v3"), home / "weights.h5", seconds=0.6)
    assert time.monotonic() - started < 5
    assert not list(home.iterdir())


def test_an_interrupted_download_leaves_nothing(server, home):
    def interrupt(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download(get_backbone("inception_v3"), home / "weights.h5", progress=interrupt)
    assert not list(home.iterdir())


def test_a_cache_that_is_no_folder_is_named(server, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "file"))
    with pytest.raises(WeightsError, match=r"cannot be downloaded \(.*file"):
        resolve_weights("inception_v3")


def test_nobody_listening_is_one_clear_error(no_network, home):
    with pytest.raises(WeightsError, match="inception_v3: its ImageNet weights are not on this"):
        resolve_weights("inception_v3")


def test_damaged_weights_in_the_cache_are_refused(server, home):
    damaged = home / get_backbone("inception_v3").weights_file
    home.mkdir(parents=True)
    damaged.write_bytes(CONTENT[:-1])
    with pytest.raises(WeightsError, match=r"expected inception_v3's.*md5.*Move the file") as e:
        resolve_weights("inception_v3")
    assert str(damaged) in str(e.value)
    assert damaged.exists()
    assert not server.asked


def test_auto_is_inception_if_it_can_be_had(server, home):
    assert resolve_auto() == ("inception_v3", resolve_weights("inception_v3"), "")
    server.answer = "404"
    assert resolve_auto()[0] == "inception_v3"


@pytest.mark.parametrize("answer", ["404", "nothing", "drop_by_drop", "other"])
def test_auto_is_otherwise_the_network_that_comes_along(server, home, monkeypatch, answer):
    monkeypatch.setattr(download_module, "STALL_SECONDS", 0.3)
    monkeypatch.setattr(weights_module, "AUTO_DOWNLOAD_SECONDS", 0.6)
    server.answer = answer
    name, found, why = resolve_auto()
    assert name == "efficientnet_lite0"
    assert found == resolve_weights("efficientnet_lite0")
    assert why.startswith("inception_v3: its ImageNet weights are not on this machine")
    assert "\n" not in why
    assert not list(home.iterdir())


def test_auto_passes_damaged_weights_by_and_says_so(server, home):
    home.mkdir(parents=True)
    (home / get_backbone("inception_v3").weights_file).write_bytes(b"damaged")
    name, _, why = resolve_auto()
    assert name == "efficientnet_lite0"
    assert "Move the file elsewhere" in why


def test_the_network_that_comes_along_needs_no_network(no_network, home):
    found = resolve_weights("efficientnet_lite0")
    assert found.identity == f"sha256:{LITE_SHA}"
    assert found.source.startswith("ImageNet (")
    assert not home.exists()


def test_a_damaged_package_is_noticed(monkeypatch):
    known = replace(get_backbone("efficientnet_lite0"), weights_digest="0" * 64)
    monkeypatch.setitem(BACKBONES._built_in, "efficientnet_lite0", known)
    with pytest.raises(WeightsError, match="Install its package again"):
        resolve_weights("efficientnet_lite0")


@pytest.mark.parametrize(("spec", "identity"), [
    ("random", "random:0"),
    ("random:0", "random:0"),
    ("random:42", "random:42"),
])
def test_random_weights(spec, identity):
    found = resolve_weights("inception_v3", spec)
    assert found.identity == identity
    assert found.file is None
    assert "RANDOM" in found.source


@pytest.mark.parametrize("spec", ["random:", "random:x", "random:-1", "random:1.5", "random:²"])
def test_seeds_are_whole_numbers(spec):
    with pytest.raises(InputError, match="expected random or random:SEED"):
        resolve_weights("inception_v3", spec)


@pytest.mark.parametrize("name", ["my.h5", "my.weights.h5", "my.keras", "my.hdf5"])
def test_a_file_is_known_by_its_content(tmp_path, name):
    (tmp_path / name).write_bytes(b"weights")
    found = resolve_weights("inception_v3", str(tmp_path / name))
    assert found == weights_module.Weights(sha256(b"weights"), name, tmp_path / name)


def test_a_missing_file_is_named_with_what_may_stand_there(tmp_path):
    with pytest.raises(WeightsError, match=r"no such weight file.*'imagenet', 'random'"):
        resolve_weights("inception_v3", str(tmp_path / "none.h5"))


@pytest.mark.parametrize("name", ["my.txt", "my.pth", "my"])
def test_other_kinds_of_files_are_refused(tmp_path, name):
    (tmp_path / name).write_bytes(b"weights")
    with pytest.raises(WeightsError, match=r"inception_v3 can read.*\.h5, \.hdf5, \.keras\."):
        resolve_weights("inception_v3", str(tmp_path / name))


def test_torch_files_are_for_efficientnet_lite0(tmp_path):
    (tmp_path / "my.pth").write_bytes(b"weights")
    assert resolve_weights("efficientnet_lite0", str(tmp_path / "my.pth")).file


def test_pixels_have_no_weights():
    assert resolve_weights("pixels").identity == "none"
    with pytest.raises(InputError, match="backbone pixels has no weights"):
        resolve_weights("pixels", "random")


def test_weights_of_a_feature_file_are_found_again(server, home):
    assert find_weights("inception_v3", sha256(CONTENT)) is None
    there = resolve_weights("inception_v3")
    assert find_weights("inception_v3", sha256(CONTENT)) == there
    assert find_weights("inception_v3", sha256(b"other")) is None
    assert find_weights("inception_v3", "random:7").identity == "random:7"
    assert find_weights("pixels", "none").identity == "none"
    assert len(server.asked) == 1


def test_local_file_says_whether_weights_are_here(server, home):
    assert local_file("inception_v3") is None
    there = resolve_weights("inception_v3").file
    assert local_file("inception_v3") == there
    assert local_file("efficientnet_lite0").is_file()
    assert local_file("pixels") is None
