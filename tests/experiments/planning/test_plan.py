"""Plans: what they expand to, and what is refused."""

import shutil

import pytest
from speechbrain_petl.experiments.planning.plan import SHIPPED, load_plan
from speechbrain_petl.experiments.reporting.rows import PAPER, papers_figures
from speechbrain_petl.utils.recipes import find_recipes

CELLS = {
    "table1": 15 * 17,
    "table2": 4 * 5 * 4 * 5,
    "table3": 8 * 17,
    "table4": 4 * 6,
    "table5": 8 * 6,
    "table6": 3 * 6,
    "fig3": 25 * 6,
    "patchout": 4 * 5,
    "tuned": 6 * 5 * 3,
    "lora_ablation": 4 * 6,
    "moa_scaling": 28 * 6,
    "demo_tasks": 2 * 2,
    "gtzan": 7 + 10,
    "ipet": 4 * (5 + 1 + 1),
    "verification": 10,
    "demo": 2 * 4 * 2,
}


def test_every_shipped_plan_is_known_here():
    assert {path.stem for path in SHIPPED.glob("*.yaml")} == set(CELLS)


@pytest.mark.parametrize("name", CELLS)
def test_shipped_plans_fit_the_recipes(name):
    plan = load_plan(name, find_recipes())
    cells = plan.cells()
    assert len(cells) == CELLS[name]
    assert len({cell.name for cell in cells}) == len(cells)
    figures = papers_figures(plan.paper)
    assert bool(figures) == (plan.paper is not None)
    for variant, corpus, shots in figures:
        assert corpus in plan.corpora
        assert variant in [v.label for v in plan.variants]
        assert not shots or int(shots) in plan.shots
    if plan.paper:
        wanted = {(c.variant.label, c.corpus) for c in cells}
        assert wanted == {(v, c) for v, c, _ in figures}


def test_the_papers_figures_are_those_of_the_paper():
    assert len(PAPER.read_text().splitlines()) == 1 + 60 + 16 + 32 + 8 + 16 + 6
    table = papers_figures("table1")
    assert table[("adapter_hou_par", "FluentSpeechCommands", "")] == (
        78.71,
        "498K",
    )
    mean = (
        sum(
            table[("lora", c, "")][0]
            for c in load_plan("table1", find_recipes()).corpora
        )
        / 4
    )
    assert round(mean, 2) == 80.75, "the paper's own average"


def test_cells_and_their_options(recipes, write_plan):
    variant = {"label": "lora_big", "yaml": "lora", "overrides": {"lr": 0.2}}
    file = write_plan(
        ["linear", variant],
        corpora=["ESC50", "GoogleSpeechCommands"],
        seeds=[1, 2],
        shots=[8],
        draws=[0, 1],
        overrides={"seconds": 0},
        corpus_overrides={"ESC50": {"lr": 0.3}},
    )
    cells = load_plan(file, recipes).cells()
    assert len(cells) == 2 * 2 * 2 * (2 + 1)
    first, last = cells[0], cells[-1]
    assert first.name == "ESC50/linear/shots_8/draw_0/seed_1/fold_1"
    assert first.options() == {
        "seed": 1,
        "test_fold": 1,
        "shots": 8,
        "draw": 0,
        "seconds": 0,
        "lr": 0.3,
    }
    assert last.name == "GoogleSpeechCommands/lora_big/shots_8/draw_1/seed_2"
    assert "test_fold" not in last.options() and last.options()["lr"] == 0.2


@pytest.mark.parametrize(
    "keys, message",
    [
        ({"variants": ["lroa"]}, "no YAML 'lroa'; did you mean lora"),
        ({"corpora": ["ESC5O"]}, "no corpus 'ESC5O'; did you mean ESC50"),
        ({"folds": [6]}, "no fold of ESC50 '6'"),
        ({"fold": [1]}, "no key 'fold'; did you mean folds"),
        (
            {"overrides": {"l": 1}},
            "no option of linear.yaml 'l'; did you mean lr",
        ),
        ({"overrides": {"seed": 1}}, "no option of linear.yaml 'seed'"),
        ({"overrides": {"lr": "abc"}}, "lr is a number, such as 0.1, and not"),
        ({"overrides": {"lr": -1}}, "lr is a number that is not negative"),
        ({"overrides": {"debug": 3}}, "debug is True or False"),
        ({"variants": []}, "has no variants"),
        ({"variants": ["lora", "lora"]}, "two variants are called 'lora'"),
        ({"variants": [{"label": "a/b", "yaml": "lora"}]}, "names a folder"),
        ({"variants": [{"yaml": "lora"}]}, "a variant is the name of a YAML"),
        ({"data_folders": {"ESC": "x"}}, "no corpus 'ESC'; did you mean ESC50"),
        ({"folds": 1}, "folds is a list of whole numbers from 1, or null"),
        ({"shots": [0]}, "shots is a list of whole numbers from 1"),
        ({"seeds": ["1"]}, r"seeds is a list of whole numbers, not \['1'\]"),
        ({"overrides": ["lr"]}, "overrides is a mapping"),
        ({"corpora": "ESC50"}, "corpora is a list of names, not 'ESC50'"),
        ({"variants": [1]}, "a variant is the name of a YAML"),
    ],
)
def test_what_is_unknown_is_named(keys, message, recipes, write_plan):
    file = write_plan(**{"variants": ["linear"], **keys})
    with pytest.raises(ValueError, match=message):
        load_plan(file, recipes)


def test_all_clips_can_be_drawn_in_one_way_only(recipes, write_plan):
    file = write_plan(["lora"], folds=[1], shots=[None, 8], draws=[0, 1])
    names = [cell.name for cell in load_plan(file, recipes).cells()]
    assert names == [
        "ESC50/lora/seed_1234/fold_1",
        "ESC50/lora/shots_8/draw_0/seed_1234/fold_1",
        "ESC50/lora/shots_8/draw_1/seed_1234/fold_1",
    ]


def test_no_override_is_lost_in_silence(recipes, write_plan):
    """What a variant or corpus says itself would win over --set."""
    big = {"label": "big", "yaml": "lora", "overrides": {"lr": 0.2}}
    changes = {"overrides": {"lr": 0.4}}
    with pytest.raises(ValueError, match="--set lr: variant big .* its own"):
        load_plan(write_plan(["lora", big]), recipes, changes)
    file = write_plan(["lora"], corpus_overrides={"ESC50": {"lr": 0.3}})
    with pytest.raises(ValueError, match="--set lr: corpus ESC50 .* its own"):
        load_plan(file, recipes, changes)


def test_no_such_plan(recipes):
    with pytest.raises(
        ValueError, match="no plan 'tabel1': .* demo, demo_tasks, fig3"
    ):
        load_plan("tabel1", recipes)


def test_a_recipe_of_one_s_own_is_a_folder(recipes, write_plan, data):
    """What the library does not name is planned as what it does."""
    shutil.copytree(recipes / "ESC50", recipes / "Frogs")
    file = recipes / "Frogs" / "corpus.yaml"
    file.write_text(file.read_text().replace("folds: 5", "folds: 3"))
    keys = {"corpora": ["Frogs"], "folds": None}
    keys["data_folders"] = {"Frogs": str(data)}
    plan = load_plan(write_plan(["lora"], **keys), recipes)
    assert [cell.fold for cell in plan.cells()] == [1, 2, 3]
    file.unlink()
    with pytest.raises(ValueError, match="no .*Frogs/corpus.yaml: write one"):
        load_plan(write_plan(["lora"], **keys), recipes)


def test_a_yaml_of_a_folder(recipes, write_plan):
    hparams = recipes / "ESC50" / "hparams"
    (hparams / "wav2vec2").mkdir()
    shutil.copy(hparams / "lora.yaml", hparams / "wav2vec2")
    named = {"label": "waves", "yaml": "wav2vec2/lora", "overrides": {"lr": 1}}
    file = write_plan(["lora", "wav2vec2/lora", named], folds=[1])
    cells = load_plan(file, recipes).cells()
    assert [cell.variant.label for cell in cells] == [
        "lora",
        "wav2vec2_lora",
        "waves",
    ]
    assert cells[1].yaml == "hparams/wav2vec2/lora.yaml"
    assert cells[1].yaml_in(recipes) == hparams / "wav2vec2" / "lora.yaml"
    assert cells[1].name == "ESC50/wav2vec2_lora/seed_1234/fold_1"
    with pytest.raises(ValueError, match="no YAML 'wav2vec/lora'; did you me"):
        load_plan(write_plan(["wav2vec/lora"]), recipes)


def test_a_protocol_has_folds_of_its_own(recipes, write_plan):
    corpus = recipes / "GoogleSpeechCommands"
    with (corpus / "corpus.yaml").open("a") as file:
        file.write("protocol_folds: {paper: 3}\n")
    with (corpus / "hparams" / "lora.yaml").open("a") as file:
        file.write("protocol: lists\n")
    paper = {"label": "p", "yaml": "lora", "overrides": {"protocol": "paper"}}
    keys = {"corpora": [corpus.name], "folds": None}
    plan = load_plan(write_plan(["lora", paper], **keys), recipes)
    folds = [(cell.variant.label, cell.fold) for cell in plan.cells()]
    assert folds == [("lora", None), ("p", 1), ("p", 2), ("p", 3)]
    keys["folds"] = [4]
    with pytest.raises(ValueError, match="no fold of GoogleSpeech.* '4'"):
        load_plan(write_plan(["lora", paper], **keys), recipes)
