import numpy as np
import pytest

from plankton_features.store import Block, FeatureStore, Plan, read_features
from plankton_features.store.aside import files_aside, forget_aside, set_aside


def begin(path, value):
    with FeatureStore(path, Plan(5, 1, text_bytes={"path": 9}), {"recipe": "{}"},
                      notes={"feature_blocks": '[["x", 1]]'}) as store:
        store.append(Block(np.full((1, 1), value, np.float32),
                           {"path": ["a.png"], "sha256": [f"{value:064x}"], "position": [0]}))


def test_what_was_begun_can_be_read_until_it_is_forgotten(tmp_path):
    path = tmp_path / "out.h5"
    for value in (1, 2):
        begin(path, value)
        set_aside(path)
        assert not (tmp_path / "out.h5.partial").exists()
    assert [read_features(f).X.tolist() for f in files_aside(path)] == [[[1]], [[2]]]
    forget_aside(path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("killed", [True, False])
def test_a_kill_in_between_loses_nothing(tmp_path, monkeypatch, killed):
    path = tmp_path / "out.h5"
    begin(path, 1)
    if killed:
        with monkeypatch.context() as patch:
            patch.setattr(FeatureStore, "finish", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                set_aside(path)
        assert (tmp_path / "out.h5.before1.partial").exists()
    else:
        set_aside(path)
    assert [len(read_features(f)) for f in files_aside(path)] == [1]
