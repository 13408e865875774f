"""The tests of the documentation fail when a page is wrong."""

from pathlib import Path

import pytest
from doc_commands import check_commands, plain_commands
from doc_pages import anchors_of, blocks_of, check_install, links_of, needs_of, run_page
from doc_world import World

PAGE = Path("page.md")


def fenced(language, code, comment=""):
    return f"Some words.\n\n{comment}\n```{language}\n{code}\n```\n"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run a made-up page in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return lambda text: run_page(PAGE, text, tmp_path)


def test_blocks_run_in_order_in_one_folder(run, tmp_path):
    run(fenced("sh", "echo 1 > number")
        + fenced("python", "from pathlib import Path\nnumber = Path('number').read_text()")
        + fenced("python", "Path('twice').write_text(number * 2)") + fenced("sh", "cat twice"))
    assert (tmp_path / "twice").read_text() == "1\n1\n"


@pytest.mark.parametrize("code", [
    "no-such-command", "no-such-command | cat", "extract-features missing/ out.h5",
    "false\ntrue", "extract-features --no-such-option",
    "make no-such-target", "pip install no_such_package", "pip install '.[no-such-extra]'"])
def test_a_command_that_fails_fails(run, code):
    with pytest.raises(AssertionError):
        run(fenced("sh", code))


@pytest.mark.parametrize("code", [
    "extract-features --help", "make test   # all tests", "pip install .",
    'pip install "plankton_features[onnx]"', "python -m pip install -e '.[test]'  # here"])
def test_a_command_that_is_right_passes(run, code):
    run(fenced("sh", code))


def test_what_only_a_shell_understands_is_left_to_it():
    code = ("# first\nfit-head out.h5 \\\n    --non-living 'a, b'  # told\n\n"
            "extract-features imgs o.h5\n")
    assert plain_commands(code) == [["fit-head", "out.h5", "--non-living", "a, b"],
                                    ["extract-features", "imgs", "o.h5"]]
    for line in ("fit-head a.h5 | cat", "fit-head *.h5", "fit-head $FILE", "cd x", "fit-head a &"):
        assert plain_commands(line) is None


def test_make_and_pip_change_nothing(run, tmp_path):
    run(fenced("sh", "make clean\npip install numpy\necho done > done"))
    assert [path.name for path in tmp_path.iterdir()] == ["done"]


def test_python_that_raises_fails_at_the_line_of_the_page(run):
    with pytest.raises(ZeroDivisionError) as caught:
        run(fenced("python", "x = 1\n1 / 0"))
    assert caught.traceback[-1].lineno + 1 == 6


def test_python_of_one_page_does_not_reach_another(run):
    run(fenced("python", "here = 1"))
    with pytest.raises(NameError):
        run(fenced("python", "here"))


@pytest.mark.parametrize(("text", "match"), [
    (fenced("", "ls"), "no language"),
    ("Words.\n\n    indented = 1\n", "no language"),
    (fenced("bash", "ls"), "language bash"),
    (fenced("{code-block} python", "1"), "plain block"),
    (fenced("text", "fit-head out.h5 --seed 1"), "commands belong in a block sh"),
    (fenced("sh", "ls", "<!-- not run: -->"), "needs a reason"),
    (fenced("sh", "ls", "<!-- not run -->"), "needs a reason"),
    ("<!-- not run: a cluster -->\n\nWords.\n\n```sh\nls\n```\n", "above no block"),
    ("```sh\nls\n```\n\n<!-- not run: a cluster -->\n", "above no block"),
    ("```{note}\n" + "~~~\nls\n~~~\n```\n", "line 2: a block has no language"),
])
def test_what_breaks_the_conventions_fails(text, match):
    with pytest.raises(AssertionError, match=match):
        list(blocks_of(text))


def test_a_block_that_is_not_run_is_not(run):
    run(fenced("sh", "no-such-command", "<!-- not run: needs a scheduler -->"))
    with pytest.raises(AssertionError, match=r"page\.md, line 10"):
        run(fenced("sh", "x", "<!-- not run: why -->") + fenced("sh", "no-such-command"))


@pytest.mark.parametrize("code", [
    "fit-head out.h5 --no-such-option", "true && fit-head out.h5 \\\n    --no-such-option 1",
    "plankton-features no-such-command",
    "plankton-features info a.h5 | head\nplankton-features fine-tune imgs m.keras --schedule x",
    "pip download --dest wheels ."])
def test_a_command_that_is_not_run_is_parsed(code):
    with pytest.raises(AssertionError, match=r"refuses this line|pip wheel does"):
        check_commands(code)


def test_commands_that_are_right_are_parsed_and_nothing_is_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    check_commands("extract-features a b.h5 --threads \"$THREADS\"\n"
                   "extract-features --help   # isn't \"run\nfit-head out.h5 --compare none > log\n"
                   "for k in 1 2; do\n    extract-features imgs $k.h5 2> log | tail\ndone\n"
                   "pip download --dest wheels numpy")
    assert list(tmp_path.iterdir()) == []


def test_text_is_not_run(run):
    run(fenced("text", "no-such-command") + fenced("csv", "path,label"))


def test_blocks_within_directives_are_seen():
    text = "````{note}\nWords.\n\n```sh\nls\n```\n````\n\n:::{tip}\n```python\n1\n```\n:::\n"
    assert [(b.language, b.line) for b in blocks_of(text)] == [("sh", 4), ("python", 10)]


def test_needs_are_read_and_refused(tmp_path):
    assert needs_of("# Title\n<!-- needs: imgs out.h5 -->\n") == ["imgs", "out.h5"]
    with pytest.raises(AssertionError, match=r"no-such-thing is not known, expected one of imgs"):
        World(tmp_path / "world").bring("no-such-thing", tmp_path)


def test_a_world_makes_things_once_with_what_they_are_made_of(tmp_path):
    world = World(tmp_path / "world")
    world.bring("labels.csv", tmp_path)
    made = (tmp_path / "world" / "imgs").stat().st_mtime_ns
    world.bring("imgs", tmp_path)
    assert (tmp_path / "world" / "imgs").stat().st_mtime_ns == made
    assert len(list((tmp_path / "imgs").rglob("*.*"))) == 120
    assert (tmp_path / "labels.csv").read_text().startswith("path,label,group,id\nimgs/")


def test_links_pictures_and_anchors_are_found():
    text = "# A `b` c: d\n\n[x](x.md#y) ![p](p.png) <https://a.b> [m](mailto:a@b.c)\n\n" \
           "| t |\n|---|\n| [z](z.md) |\n"
    assert list(links_of(text)) == ["x.md#y", "p.png", "z.md"]
    assert anchors_of(text) == {"a-b-c-d"}


def test_extras_are_those_of_the_package():
    check_install("pip install 'plankton_features[onnx]' scikit-learn>=1.8")
    with pytest.raises(AssertionError, match="no extra"):
        check_install("pip install scikit-learn[nothing]")
