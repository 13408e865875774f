"""What is run before a commit is what continuous integration runs, and needs no network."""

from configparser import ConfigParser
from pathlib import Path

import yaml
from packaging.requirements import Requirement

REPOSITORY = Path(__file__).parents[1]
HOOKS = yaml.safe_load((REPOSITORY / ".pre-commit-config.yaml").read_text(encoding="utf-8"))
#: Package of each program of a hook.
FROM = {"ruff": "ruff", "mypy": "mypy", "end-of-file-fixer": "pre-commit-hooks",
        "trailing-whitespace-fixer": "pre-commit-hooks",
        "check-added-large-files": "pre-commit-hooks"}


def entries():
    return [hook["entry"].split() for repository in HOOKS["repos"] for hook in repository["hooks"]]


def test_hooks_are_programs_of_the_environment():
    assert {repository["repo"] for repository in HOOKS["repos"]} == {"local"}
    assert {hook["language"] for one in HOOKS["repos"] for hook in one["hooks"]} == {"system"}
    own = ConfigParser()
    own.read(REPOSITORY / "setup.cfg", encoding="utf-8")
    installed = {Requirement(line).name
                 for line in own["options.extras_require"]["lint"].split("\n") if line}
    for program, *_ in entries():
        folder, name = program.rsplit("/", 1)
        assert folder == ".venv/bin"
        assert FROM[name] in installed


def test_what_make_lint_runs_is_run_before_a_commit():
    lines = (REPOSITORY / "Makefile").read_text(encoding="utf-8").splitlines()
    rule = lines[lines.index("lint: .venv/installed") + 2:]
    linted = [line.split("/")[1].split()[0] for line in rule[:rule.index("")]]
    assert linted == ["ruff", "mypy"]
    assert set(linted) <= {program.rsplit("/", 1)[1] for program, *_ in entries()}
