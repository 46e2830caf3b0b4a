"""The rooms of the library import downwards only."""

import ast
from pathlib import Path

import speechbrain_petl

ROOT = Path(speechbrain_petl.__file__).parent
# Lowest first: a file imports from its own room and from those before it.
ROOMS = (
    "utils",
    "lobes",
    "dataio",
    "training",
    "artefacts",
    "inference",
    "integrations",
    "demo",
    "experiments.planning",
    "experiments.running",
    "experiments.reporting",
    "experiments",
    "cli",
)


def room_of(module):
    """Returns the room of a dotted name inside the package."""
    return max((r for r in ROOMS if f"{module}.".startswith(f"{r}.")), key=len)


def imports(file):
    """Yields the dotted names that a file imports from the package."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        for name in names:
            if name.startswith("speechbrain_petl."):
                yield name.removeprefix("speechbrain_petl.")


def test_no_import_goes_upwards():
    upwards = []
    for file in sorted(ROOT.rglob("*.py")):
        path = file.relative_to(ROOT).with_suffix("")
        if path.name == "__init__" and len(path.parts) == 1:
            continue
        own = room_of(".".join(path.parts))
        for name in imports(file):
            if ROOMS.index(room_of(name)) > ROOMS.index(own):
                upwards.append(f"{path} imports {name}")
    assert not upwards


def test_the_root_holds_rooms_only():
    files = {path.name for path in ROOT.iterdir() if path.is_file()}
    assert files == {"__init__.py", "py.typed", "version.txt"}
    rooms = {p.name for p in ROOT.iterdir() if (p / "__init__.py").is_file()}
    assert rooms == {room.partition(".")[0] for room in ROOMS}
