"""docs/RELIABILITY.md lists the faults that the tests try, and no other."""

import ast
from pathlib import Path

TESTS = Path(__file__).parents[1]
PAGE = (TESTS.parent / "docs" / "RELIABILITY.md").read_text(encoding="utf-8")


def faults_in(file):
    """Texts given to ``record`` and to the marker ``fault``; parts of some."""
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and node.args:
            name = ast.unparse(node.func)
            if name in ("record", "pytest.mark.fault"):
                text = node.args[0]
                if isinstance(text, ast.JoinedStr):
                    text = text.values[0]
                yield text.value


def test_the_page_has_every_fault():
    rows = [line for line in PAGE.splitlines() if line.startswith("| ")][1:]
    listed = [row.split(" | ")[0].removeprefix("| ") for row in rows]
    tried = {
        fault for file in TESTS.rglob("test_*.py") for fault in faults_in(file)
    }
    assert len(tried) > 40
    for fault in tried:
        assert any(row.startswith(fault) for row in listed), (
            f"'{fault}' is not on the page: run tools/reliability_table.py"
        )
    for row in listed:
        assert any(row.startswith(fault) for fault in tried), row
    assert "FAILED" not in PAGE
