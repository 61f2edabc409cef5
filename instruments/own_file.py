"""Files that hold what an analyser said: for the gateway's account, and for nobody else."""

import os


def for_us_alone(path: str, flags: int) -> int:
    """The ``opener`` of such a file: a new one is 0600, whatever the umask and the folder are."""
    return os.open(path, flags, 0o600)
