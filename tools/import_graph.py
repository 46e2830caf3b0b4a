#!/usr/bin/env python3
"""Draws which room of the library imports which, into docs/ARCHITECTURE.md.

> python tools/import_graph.py
"""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "speechbrain_petl"
PAGE = ROOT / "docs" / "ARCHITECTURE.md"
BEGIN, END = "<!-- import graph -->\n", "<!-- end of import graph -->\n"

# Lowest first: a file imports from its own room and from those before it.
ROOMS = (
    "utils",
    "lobes",
    "dataio",
    "training",
    "artefacts",
    "inference",
    "hear",
    "integrations",
    "demo",
    "experiments.planning",
    "experiments.running",
    "experiments.reporting",
    "experiments",
    "adapt",
    "cli",
)


def room_of(module: str) -> str:
    """Returns the innermost room of a dotted name inside the package.

    Example
    -------
    >>> room_of("experiments.running.job"), room_of("lobes.ast.AST")
    ('experiments.running', 'lobes')
    """
    return max((r for r in ROOMS if f"{module}.".startswith(f"{r}.")), key=len)


def imports(file: Path) -> Iterator[str]:
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


def import_graph() -> dict[str, dict[str, list[str]]]:
    """Returns, for each room, the rooms it imports and the files that do so."""
    graph: dict[str, dict[str, list[str]]] = {room: {} for room in ROOMS}
    for file in sorted(LIBRARY.rglob("*.py")):
        path = file.relative_to(LIBRARY).with_suffix("")
        if path.parts == ("__init__",):
            continue
        own = room_of(".".join(path.parts))
        for name in imports(file):
            other = room_of(name)
            if other != own:
                graph[own].setdefault(other, []).append(str(path))
    return graph


def floors(graph: dict[str, dict[str, list[str]]]) -> dict[str, int]:
    """Returns each room's floor: one above the highest room it imports."""
    found: dict[str, int] = {}
    for room in ROOMS:
        found[room] = 1 + max((found[o] for o in graph[room]), default=0)
    return found


def draw(graph: dict[str, dict[str, list[str]]]) -> str:
    """Returns the graph as a Mermaid drawing and a list of floors."""
    arrows = "".join(
        f"    {room} --> {other}\n"
        for room in ROOMS
        for other in sorted(graph[room], key=ROOMS.index)
    )
    found = floors(graph)
    rows = "".join(
        f"| {floor} | "
        + ", ".join(f"`{r}`" for r in ROOMS if found[r] == floor)
        + " |\n"
        for floor in range(max(found.values()), 0, -1)
    )
    return (
        f"```mermaid\nflowchart TD\n{arrows}```\n\n"
        f"| Floor | Rooms |\n|---:|---|\n{rows}"
    )


def main() -> None:
    """Writes the drawing into the page."""
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text(
        f"{before}{BEGIN}{draw(import_graph())}{END}{after}", encoding="utf-8"
    )


if __name__ == "__main__":
    main()
