"""How much memory a process may still take."""

from pathlib import Path

MEMINFO = Path("/proc/meminfo")
CGROUP = Path("/sys/fs/cgroup")


def available_memory() -> int:
    """Returns the bytes that can be taken without swapping.

    On Linux, the kernel's estimate, or what a container's limit leaves if that
    is less. 0 where nothing is known.

    Example
    -------
    >>> available_memory() >= 0
    True
    """
    try:
        lines = MEMINFO.read_text().splitlines()
    except OSError:
        return 0
    kilobytes = [
        int(line.split()[1])
        for line in lines
        if line.startswith("MemAvailable:")
    ]
    if not kilobytes:
        return 0
    try:
        limit = (CGROUP / "memory.max").read_text().strip()
        used = int((CGROUP / "memory.current").read_text())
        left = max(0, int(limit) - used)
    except (OSError, ValueError):  # no container, or "max"
        return 1024 * kilobytes[0]
    return min(1024 * kilobytes[0], left)
