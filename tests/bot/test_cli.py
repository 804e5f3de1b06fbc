"""What a newcomer reads on the terminal."""

import subprocess
import sys

from benchmarks.machine import ROOT

LIBRARY_AND_OURS = """
import sys, warnings
from bot import cli
cli.COMMANDS["migrate"] = lambda given: (
    __import__("sanic"),  # it puts a filter of its own before all others
    warnings.warn_explicit("of theirs", DeprecationWarning, "/x/.venv/lib/python3.10/site-packages/typer/main.py", 1),
    warnings.warn_explicit("of ours", DeprecationWarning, cli.__file__, 1),
) and 0
sys.exit(cli.main(["migrate"]))
"""


def test_libraries_warn_nobody_about_themselves_and_our_own_code_does():
    command = [sys.executable, "-W", "always", "-c", LIBRARY_AND_OURS]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert "of ours" in done.stderr
    assert "site-packages" not in done.stderr
