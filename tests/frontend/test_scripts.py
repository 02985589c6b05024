"""The unit tests of the page's scripts run in Node's own runner."""

import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parent


def test_page_scripts() -> None:
    node = shutil.which("node")
    assert node, "Node.js comes with the installed packages"
    files = sorted(str(path) for path in HERE.glob("*.test.mjs"))
    assert files
    done = subprocess.run([node, "--test", *files], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
