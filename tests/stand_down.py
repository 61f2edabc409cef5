"""Waits until the test session is over, or killed; then ends its server and removes its home.

Imports nothing of ours while it waits: most sessions never start the server.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

END = "import pathlib, sys; from tests.database import end; end(pathlib.Path(sys.argv[1]))"

if __name__ == "__main__":
    home = Path(sys.argv[1])
    sys.stdin.buffer.read()
    if any(home.iterdir()):
        subprocess.run([sys.executable, "-c", END, home], check=True)
    shutil.rmtree(home)
