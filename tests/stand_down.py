"""Waits until the test session is over, or killed; then ends its server and removes its home."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from tests.database import server_at

if __name__ == "__main__":
    home = Path(sys.argv[1])
    sys.stdin.buffer.read()
    server = server_at(home)
    server.stop("immediate")
    if server.data.parent != home:
        shutil.rmtree(server.data.parent)
    shutil.rmtree(home)
