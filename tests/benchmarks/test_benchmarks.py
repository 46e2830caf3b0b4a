"""The benchmarks measure what they say; their page is what their files say."""

import importlib
import math
import shutil
import time
from pathlib import Path

import pytest
import torch

from benchmarks.__main__ import SUBJECTS, parse
from benchmarks.measure import Contender, compare, quartiles
from benchmarks.report import derive, read_rows, targets, write_page
from benchmarks.targets import TARGETS
from benchmarks.worker import processor_time

FOLDER = Path(__file__).parents[2] / "benchmarks"
MATMUL = "benchmarks.training_step:matmul"


def matmul(name, size):
    """A product of matrices."""
    options = {"precision": "fp32", "size": size, "device": "cpu"}
    return Contender(name, MATMUL, options, size=size)


def test_contenders_run_in_turns():
    rows = compare("g", [matmul("small", 64), matmul("big", 1024)], 3, 1)
    derive(rows)
    small, big = rows
    assert small["rounds"] == 3 and small["group"] == "g"
    assert small["speed_ratio"] == 1 and big["speed_ratio"] < 0.5
    assert big["gflop"] == pytest.approx(3 * 2 * 1024**3 / 1e9)
    assert big["time_ratio"] == pytest.approx(1 / big["speed_ratio"])
    assert 0.5 < big["exponent"] < 4 and "exponent" not in small
    assert big["peak_mb"] > 50


def test_peers_have_the_same_kind_of_optimizer(tmp_path):
    """Fused, one pass over the parameters."""
    from benchmarks import peers
    from benchmarks.models import SMALL, load_recipe, make_backbone

    backbone = make_backbone(tmp_path / "ast", **SMALL)
    used = [load_recipe("lora", backbone, max_length=100)["opt_class"]]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(peers, "make_step", lambda *a: used.append(a[2]))
        peers.hf_full(backbone, 1, 100, "fp32", "cpu")
        peers.peft_lora(backbone, 1, 100, "fp32", "cpu")
    assert len(used) == 3
    weight = torch.nn.Parameter(torch.zeros(1))
    for opt_class in used:
        assert opt_class([weight]).param_groups[0]["fused"] is True


def test_wav2vec2s_peers_train_the_same(tmp_path, monkeypatch):
    """The same rank and sites, no dropout, and a fused optimizer."""
    from benchmarks import wav2vec2_step as step

    made = []
    monkeypatch.setattr(step, "make_step", lambda *a: made.append(a[:2]))
    sizes = {**step.SMALL, "hidden_size": 768, "num_attention_heads": 4}
    backbone = step.make_wav2vec2(tmp_path / "wav2vec2", **sizes)
    given = (backbone, 1, 50, "fp32", "cpu")
    step.peft_lora(*given)
    step.ours("lora", *given)
    for model, opt_class in made:
        trained = [p for p in model.parameters() if p.requires_grad]
        assert opt_class(trained).param_groups[0]["fused"] is True
        low_rank = [p for p in trained if min(p.shape) == step.RANK]
        assert len(low_rank) == 2 * 2 * sizes["num_hidden_layers"]
        assert not any(
            part.training and part.p > 0
            for part in model.modules()
            if isinstance(part, torch.nn.Dropout)
        )


def test_one_that_cannot_be_run_is_named():
    broken = Contender("broken", MATMUL, {"precision": "int3"})
    with pytest.raises(RuntimeError, match="'broken'(.|\n)*missing 2 required"):
        compare("g", [broken], 1, 1)


def test_one_round_has_no_quartiles():
    assert quartiles([2.0]) == (2.0, 2.0, 2.0)


def test_processor_time_is_of_work_and_not_of_waiting():
    started = processor_time()
    time.sleep(0.2)
    waited = processor_time() - started
    while processor_time() - started < waited + 0.1:
        pass
    assert waited < 0.1


def test_time_to_accuracy():
    """Within a point of what the first row ends with."""
    rows = [
        {
            "contender": name,
            "speed_ratio": 1.0,
            "accuracy": curve[-1][1],
            "curve": curve,
        }
        for name, curve in (
            ("peer", [[60.0, 0.5], [120.0, 0.79], [180.0, 0.8]]),
            ("ours", [[4.0, 0.81]]),
            ("short", [[1.0, 0.7]]),
        )
    ]
    derive(rows)
    peer, ours, short = rows
    assert peer["to_accuracy"] == 120 and peer["to_accuracy_ratio"] == 1
    assert ours["to_accuracy"] == 4 and ours["to_accuracy_ratio"] == 30
    assert short["to_accuracy"] == math.inf and short["curve"] == "1:0.7"
    assert short["to_accuracy_ratio"] == 0
    assert short["points_lost"] == pytest.approx(10)


@pytest.mark.slow
def test_targets_are_of_rows_that_exist(tmp_path):
    given = ("reference", "esc10", "esc10_source")
    paths = [x for name in given for x in (f"--{name}", str(tmp_path))]
    options = parse(["--smoke", *paths])
    options.folder = tmp_path
    there = {
        (subject, group, contender.name)
        for subject in SUBJECTS
        for group, contenders in importlib.import_module(
            f"benchmarks.{subject}"
        )
        .groups(options)
        .items()
        for contender in contenders
    }
    for target in TARGETS:
        row = (target.subject, target.group, target.contender)
        assert row in there, row


def test_a_target_is_met_or_missed():
    target = TARGETS[0]
    row = {"group": target.group, "contender": target.contender}
    for measured, verdict in [(4.1, "met"), (3.9, "missed")]:
        rows = {target.subject: [{**row, target.column: measured}]}
        lines = targets(rows)
        assert lines[2].endswith(f"| >= 4 | {measured} | {verdict} |")
        assert lines[-1].endswith("| not measured |")
        machines = {target.subject: "a machine without"}
        assert "| not measured |" in targets(rows, machines)[2]
        machines = {target.subject: f"a machine with {target.unit}"}
        assert targets(rows, machines)[2] == lines[2]


def test_the_page_is_what_the_files_say(tmp_path):
    files = [*FOLDER.glob("*.csv"), FOLDER / "runs.json"]
    for file in files:
        shutil.copy(file, tmp_path)
    write_page(tmp_path)
    page = (tmp_path / "RESULTS.md").read_text()
    assert page == (FOLDER / "RESULTS.md").read_text()
    for file in files[:-1]:
        for row in read_rows(file):
            assert f"| {row['contender']} |" in page


def test_a_bank_of_tasks_is_measured(make_artefact, tiny_folder, tmp_path):
    """Its tensors: the backbone once, and what each task trained."""
    from benchmarks import serving

    names = ["linear", "lora"]
    for name in names:
        make_artefact(tmp_path / name, name)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(serving, "TASKS", dict.fromkeys(names, 3))
        given = (tmp_path, tiny_folder, 4, 0.48, "cpu")
        run, bank = serving.bank(*given)
        run()
        _, models = serving.separate(*given)
    assert bank["clips"] == 4
    assert 0 < bank["tensors_mb"] < 0.6 * models["tensors_mb"]


def test_files_are_predicted(make_artefact, tiny_folder, tmp_path):
    """Alone and in batches alike, and no figures but those of the clock."""
    from benchmarks import predict_throughput

    make_artefact(tmp_path / "artefact", "linear")
    predict_throughput.write_files(tmp_path / "files", 3)
    for batched in (False, True):
        run, facts = predict_throughput.predict(
            tmp_path / "artefact",
            tiny_folder,
            tmp_path / "files",
            "cpu",
            batched,
        )
        assert run() is None and facts == {"clips": 3}
