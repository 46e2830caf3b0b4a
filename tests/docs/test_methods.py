"""docs/METHODS.md against the YAMLs, at AST-base size, and the papers."""

import importlib.util
import re
from pathlib import Path

import pytest
from hyperpyyaml import load_hyperpyyaml
from transformers import ASTConfig, ASTModel

ROOT = Path(__file__).parents[2]
HPARAMS = ROOT / "recipes" / "ESC50" / "hparams"
TABLE = re.findall(
    r"^\| `(\w+)` \|.*?\| ([\d,]+) \| ([\d,]+) \| ([\d,]+) \| (.*?) \|",
    (ROOT / "docs" / "METHODS.md").read_text(),
    re.M,
)
# What Table I and the text of arXiv 2312.03694 say, in thousands, rounded or
# cut off; BitFit's has the bias of the final LayerNorm in it.
PAPER = {
    "bitfit": 102,
    "spt": 230,
    "dpt": 230,
    "prefix": 221,
    "lora": 221,
    "adapter_pf_par": 249,
    "adapter_pf_seq": 249,
    "adapter_hou_par": 498,
    "adapter_hou_seq": 498,
    "adapter_hou_mixed": 498,
    "adapter_mhsa_par": 249,
    "adapter_mhsa_seq": 249,
    "convpass_pf_par": 254,
    "convpass_pf_seq": 254,
    "convpass_hou_par": 508,
    "convpass_hou_seq": 508,
    "adapter_lora": 470,
    "adapter_dpt": 479,
}


@pytest.fixture(scope="module")
def base_folder(tmp_path_factory):
    """AST-base with random weights."""
    folder = tmp_path_factory.mktemp("ast_base")
    ASTModel(ASTConfig()).save_pretrained(folder)
    return str(folder)


def count(yaml, base_folder, tmp_path):
    """Trainable parameters of a YAML's model on AST-base."""
    overrides = {
        "data_folder": "none",
        "output_folder": str(tmp_path),
        "source": base_folder,
    }
    with open(yaml, encoding="utf-8") as file:
        return load_hyperpyyaml(file, overrides)["encoder"].count_parameters()


def test_every_yaml_has_a_row():
    assert {row[0] for row in TABLE} == {f.stem for f in HPARAMS.glob("*.yaml")}


@pytest.mark.slow
@pytest.mark.parametrize("row", TABLE, ids=lambda row: row[0])
def test_counts_at_real_size(row, base_folder, tmp_path):
    name, *counts, _ = row
    method, norm, final = (int(count.replace(",", "")) for count in counts)
    found = count(HPARAMS / f"{name}.yaml", base_folder, tmp_path)
    assert found == {"method": method, "norm": norm, "norm_final": final}
    if name in PAPER:
        counted = method + norm + (final if name == "bitfit" else 0)
        assert PAPER[name] in (round(counted / 1000), counted // 1000)
    if name == "full_ft":
        assert round((method + norm + final) / 1e6, 1) == 85.7


READMES = sorted(
    path.with_name("README.md") for path in ROOT.glob("recipes/*/train.py")
)


@pytest.mark.slow
@pytest.mark.parametrize("page", READMES, ids=lambda page: page.parent.name)
def test_counts_in_the_recipes_tables(page, base_folder, tmp_path):
    """Those of all YAMLs are there; what depends on the corpus is counted."""
    table = re.findall(
        r"^\| `(\w+)\.yaml` \| ([\d,]+) \|", page.read_text(), re.M
    )
    yamls = {path.stem for path in page.parent.glob("hparams/*.yaml")}
    assert len(table) == len(dict(table)) and set(dict(table)) == yamls
    for name, *counts, _ in TABLE:
        if name not in yamls:
            continue
        numbers = [int(count.replace(",", "")) for count in counts]
        if name in ("full_ft", "ipet", "input_prompt"):
            yaml = page.parent / "hparams" / f"{name}.yaml"
            found = count(yaml, base_folder, tmp_path)
            numbers = [found["method"], found["norm"]]
        assert dict(table)[name] == f"{numbers[0] + numbers[1]:,}", name


@pytest.fixture(scope="module")
def tool():
    """tools/parameter_tables.py as a module."""
    spec = importlib.util.spec_from_file_location(
        "parameter_tables", ROOT / "tools" / "parameter_tables.py"
    )
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def counted(yaml):
    """Counts that no YAML has."""
    return {"method": 1_000_000, "norm": 2_000, "norm_final": 3}


def never(yaml):
    """Counts nothing."""
    raise AssertionError(f"{yaml} has a row and was counted")


def test_the_tool_leaves_a_whole_table_as_it_is(tool):
    methods = tool.METHODS.read_text()
    assert tool.methods_page(methods, never, False) == methods
    for page in READMES:
        text = page.read_text()
        assert tool.readme(page.parent, text, methods, never) == text


def test_the_tool_writes_the_row_of_a_new_variant(tool):
    methods = tool.METHODS.read_text()
    (row,) = (m[0] for m in tool.ROW.finditer(methods) if m[1] == "lora")
    again = tool.methods_page(methods.replace(row, ""), counted, False)
    (new,) = (m[0] for m in tool.ROW.finditer(again) if m[1] == "lora")
    assert "| 1,000,000 | 2,000 | 3 | - | - |" in new
    assert " | `query`, `value` | " in new
    for page in READMES:
        text = page.read_text()
        (old,) = (
            m[0] for m in tool.README_ROW.finditer(text) if m[1] == "lora"
        )
        text = tool.readme(page.parent, text.replace(old, ""), again, never)
        (new,) = (
            m[0] for m in tool.README_ROW.finditer(text) if m[1] == "lora"
        )
        assert new.startswith("| `lora.yaml` | 1,002,000 |"), page
        assert new.count("|") == old.count("|"), page


def test_the_tool_counts_again_and_keeps_the_words(tool):
    methods = tool.METHODS.read_text()
    again = tool.methods_page(methods, counted, True)
    rows = {m[1]: m[0] for m in tool.ROW.finditer(again)}
    assert all(" | 1,000,000 | 2,000 | 3 | " in row for row in rows.values())
    numbers = r" \| [\d,]+ \| [\d,]+ \| [\d,]+ \| "
    assert re.sub(numbers, "", again) == re.sub(numbers, "", methods)
