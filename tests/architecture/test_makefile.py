"""The Makefile explains itself, and says in a sentence what it can't work with."""

import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def make(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)


def test_make_alone_lists_every_target():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = {name for line in re.findall(r"^\.PHONY: (.*)$", makefile, re.MULTILINE) for name in line.split()}

    shown = make().stdout

    assert {line.split()[1] for line in shown.splitlines() if line.startswith("  make ")} == named


def test_a_python_that_is_too_old_is_a_sentence(tmp_path):
    old = tmp_path / "old python"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)

    done = make("setup", f"PYTHON={old}", f"VENV={tmp_path}/venv")

    assert done.returncode != 0
    assert f"{old} is too old: Freehold needs Python 3.11 or later" in done.stderr
    assert not (tmp_path / "venv").exists()


def test_no_python_at_all_is_a_sentence(tmp_path):
    done = make("setup", "PYTHON=", f"VENV={tmp_path}/venv")

    assert "Freehold needs Python 3.11 or later; name it with PYTHON=" in done.stderr


def test_the_whole_check_is_what_make_does():
    lines = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()

    assert [line for line in lines if line.startswith("make ")] == ["make test", "make soak"]
