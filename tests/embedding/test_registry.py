"""Registries: names without loading, entries of other packages, and whatever these do wrong."""

from __future__ import annotations

import os.path
import sys
import types
from dataclasses import dataclass

import pytest
from plugins import forget_plugins, write_plugins

from plankton_features.embedding.registry import Plugin, Registry, resolve
from plankton_features.errors import InputError, PluginError


@dataclass(frozen=True)
class Thing:
    name: str


SECOND = Thing("second")


@dataclass(frozen=True)
class OtherThing:
    name: str


@pytest.fixture
def things(monkeypatch):
    """Two built-in ones: one that is there, one that is looked up."""
    place = types.ModuleType("plugin_place")
    place.SECOND = SECOND
    monkeypatch.setitem(sys.modules, "plugin_place", place)
    return Registry("thing", Thing, "test.things",
                    {"first": Thing("first"), "second": "plugin_place:SECOND"})


@pytest.fixture
def offer_plugin(tmp_path, monkeypatch):
    """Offer things in metadata: code by name; returns whether one was loaded."""
    support = types.ModuleType("plugin_support")
    support.Thing = Thing
    monkeypatch.setitem(sys.modules, "plugin_support", support)

    def offer(codes):
        monkeypatch.syspath_prepend(write_plugins(tmp_path, "test.things", codes))
        return lambda name: f"plugin_{name}" in sys.modules

    yield offer
    forget_plugins()


def test_built_in_entries(things):
    assert things.names() == ["first", "second"]
    assert things.get("first") == Thing("first")
    assert things.get("second") is SECOND
    assert things.entries() == [Thing("first"), SECOND]


def test_what_is_not_known_is_refused_with_what_is(things):
    with pytest.raises(InputError, match=r"thing 'x' is not known\. Choose one of: first, sec"):
        things.get("x")
    assert things.find("x") is None


def test_one_that_is_registered_by_a_call_can_be_replaced(things):
    things.register(Thing("mine"))
    again = Thing("mine")
    assert things.register(again) is again
    assert things.names() == ["first", "second", "mine"]
    assert things.get("mine") is again
    assert things.is_called("mine")
    assert not things.is_called("first")


@pytest.mark.parametrize(("entry", "message"), [
    (Thing("first"), "thing 'first': the name is taken"),
    (Thing("auto"), "the name 'auto' is for choosing among all"),
    (Thing("a b"), "expected a name of letters.*got 'a b'"),
    (Thing("../x"), "expected a name"),
    (Thing("x" * 101), "expected a name"),
    (Thing("x\n"), "expected a name"),
    (Thing(None), "expected a name"),
    (OtherThing("x"), "expected Thing, got OtherThing"),
    ("x", "expected Thing, got str"),
], ids=str)
def test_what_will_not_do_is_not_registered(things, entry, message):
    with pytest.raises(InputError, match=message):
        things.register(entry)
    assert things.names() == ["first", "second"]


# Entry points


def test_an_entry_point_is_named_without_being_loaded(things, offer_plugin):
    loaded = offer_plugin({"third": "from plugin_support import Thing\nENTRY = Thing('third')"})
    assert things.names() == ["first", "second", "third"]
    assert not loaded("third")
    assert things.get("third") == Thing("third")
    assert loaded("third")
    assert things.get("third") is things.get("third")
    assert things.plugins() == [Plugin("thing", "third", "plankton-test", "plugin_third", "")]


def test_the_name_of_an_entry_point_is_taken(things, offer_plugin):
    offer_plugin({"third": "ENTRY = None"})
    with pytest.raises(InputError, match="thing 'third': the name is taken"):
        things.register(Thing("third"))


@pytest.mark.parametrize(("code", "problem"), [
    ("import no_such_package", "ModuleNotFoundError: No module named 'no_such_package'"),
    ("raise SystemExit(3)", "SystemExit: 3"),
    ("1 +", "SyntaxError: invalid syntax"),
    ("OTHER = 1", "AttributeError: module 'plugin_bad' has no attribute 'ENTRY'"),
    ("ENTRY = 1", "expected Thing, got int"),
    ("from plugin_support import Thing\nENTRY = Thing('good')", "it is named 'good'"),
    ("raise ValueError('two\\n lines')", "ValueError: two lines"),
])
def test_an_entry_point_that_fails_is_told_and_hinders_nobody(things, offer_plugin, code, problem):
    offer_plugin({"bad": code})
    with pytest.raises(PluginError, match=r"thing 'bad': the package plankton-test does not give"):
        things.get("bad")
    assert things.entries() == [Thing("first"), SECOND]
    assert things.plugins()[0].problem.startswith(problem)
    with pytest.raises(PluginError):  # the same when asked again
        things.get("bad")


def test_an_entry_point_does_not_take_the_place_of_a_built_in_entry(things, offer_plugin):
    offer_plugin({"first": "raise ValueError('loaded')"})
    assert things.get("first") == Thing("first")
    assert things.names() == ["first", "second"]
    assert things.plugins()[0].problem == "the name is taken by this package"


def test_one_that_was_set_aside_is_not_loaded(things, offer_plugin):
    loaded = offer_plugin({"third": "ENTRY = 1"})
    things.set_aside("third", "it ended the process")
    with pytest.raises(PluginError, match="it ended the process"):
        things.get("third")
    assert not loaded("third")


def test_hooks_are_functions_or_their_places():
    assert resolve(len) is len
    assert resolve("os.path:join") is os.path.join
