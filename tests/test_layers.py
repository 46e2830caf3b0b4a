"""The rooms of the library import downwards only."""

import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LIBRARY = ROOT / "speechbrain_petl"


@pytest.fixture(scope="module")
def tool():
    """Returns tools/import_graph.py as a module."""
    spec = importlib.util.spec_from_file_location(
        "import_graph", ROOT / "tools" / "import_graph.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_no_import_goes_upwards(tool):
    upwards = [
        f"{file} imports {other}"
        for room, others in tool.import_graph().items()
        for other, files in others.items()
        if tool.ROOMS.index(other) > tool.ROOMS.index(room)
        for file in files
    ]
    assert not upwards


def test_the_house_is_low(tool):
    assert max(tool.floors(tool.import_graph()).values()) <= 7


def test_the_root_holds_rooms_only(tool):
    files = {path.name for path in LIBRARY.iterdir() if path.is_file()}
    assert files == {"__init__.py", "py.typed", "version.txt"}
    rooms = {p.name for p in LIBRARY.iterdir() if (p / "__init__.py").is_file()}
    assert rooms == {room.partition(".")[0] for room in tool.ROOMS}


def test_the_drawing_is_of_this_library(tool):
    text = tool.PAGE.read_text(encoding="utf-8")
    drawn = text.split(tool.BEGIN)[1].split(tool.END)[0]
    assert drawn == tool.draw(tool.import_graph()), "run tools/import_graph.py"
