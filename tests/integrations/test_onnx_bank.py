"""A bank in ONNX: one model, a small file a task, no torch."""

import json
import subprocess
import sys

import numpy as np
import pytest
import torch
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.integrations.onnx import Classifier
from speechbrain_petl.integrations.onnx_bank import OnnxBank
from speechbrain_petl.integrations.onnx_bank_export import export_bank
from speechbrain_petl.lobes.ast import AST

pytest.importorskip("onnxruntime")
pytest.importorskip("onnxscript")
LABELS = {"letters": "abc", "digits": "01234"}


@pytest.fixture(scope="module")
def tasks(make_artefact, tmp_path_factory, tiny_folder):
    """Two tasks of one method, of three and of five classes."""
    found = {}
    for task, labels in LABELS.items():
        folder = tmp_path_factory.mktemp(task)
        make_artefact(folder / "artefact", "adapter_hou_par", labels)
        found[task] = Artefact.open(folder / "artefact").load(AST(tiny_folder))
    return found


@pytest.fixture(scope="module")
def bank(tasks, tmp_path_factory):
    """A folder with their bank."""
    folder = tmp_path_factory.mktemp("bank") / "bank"
    assert export_bank(tasks, folder) < 1e-4
    return folder


def clips(bank, n):
    """Noise [n, samples], all of it audio."""
    generator = np.random.default_rng(0)
    wavs = generator.uniform(-0.5, 0.5, (n, bank.samples))
    return wavs.astype(np.float32), np.ones(n, np.float32)


def test_each_task_gives_what_its_model_gives(tasks, bank):
    opened = OnnxBank(bank)
    assert opened.tasks == tuple(LABELS)
    for n in (1, 3):
        wavs, lens = clips(opened, n)
        for task in ("digits", "letters", "digits"):
            with torch.no_grad():
                expected = Classifier(tasks[task])(
                    torch.from_numpy(wavs), torch.from_numpy(lens)
                )
            found = opened.logits(task, wavs, lens)
            assert found.shape == (n, len(LABELS[task]))
            np.testing.assert_allclose(found, expected, atol=1e-4)


def test_each_clip_has_its_task(bank):
    opened = OnnxBank(bank)
    wavs, lens = clips(opened, 2)
    found = opened.classify(wavs, lens, ["digits", "letters"])
    assert found[0] in LABELS["digits"] and found[1] in LABELS["letters"]
    with pytest.raises(ValueError, match="no task 'words' .*letters, digits"):
        opened.logits("words", wavs, lens)


def test_a_task_is_small(tasks, bank):
    model = (bank / "backbone.onnx").stat().st_size
    for task, trained in tasks.items():
        size = (bank / f"{task}.onnx_adapter").stat().st_size
        tensors = [*trained.encoder.delta().values()]
        tensors += trained.classifier.parameters()
        assert size < 1.5 * sum(t.nbytes for t in tensors) + 8000 < model


def test_it_needs_no_torch(bank):
    code = (
        "import sys\n"
        "from speechbrain_petl.integrations.onnx_bank import OnnxBank\n"
        f"print(OnnxBank({str(bank)!r}).tasks)\n"
        "assert not {'torch', 'speechbrain', 'transformers'} & set(sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "digits" in done.stdout
    assert "appears in graph inputs" not in done.stderr  # for each tensor


def test_what_does_not_go_together(tasks, make_artefact, tmp_path, tiny_folder):
    def other(**options):
        make_artefact(tmp_path / "other", labels="abc", **options)
        return Artefact.open(tmp_path / "other").load(AST(tiny_folder))

    for options, message in (
        ({"yaml": "lora"}, "different methods or sizes"),
        ({"max_length": 64}, "different settings, such as the clip's length"),
    ):
        with pytest.raises(ValueError, match=message):
            export_bank({**tasks, "other": other(**options)}, tmp_path / "bank")
    with pytest.raises(ValueError, match="'../x' cannot be a task's name"):
        export_bank({"../x": tasks["digits"]}, tmp_path / "bank")
    assert not (tmp_path / "bank").exists()


def test_other_folders_are_no_banks(bank, tmp_path):
    with pytest.raises(ValueError, match="is no bank in ONNX"):
        OnnxBank(tmp_path)
    index = json.loads((bank / "bank.json").read_text())
    (tmp_path / "bank.json").write_text(json.dumps({**index, "version": 9}))
    with pytest.raises(ValueError, match="version 9, and this reads version 1"):
        OnnxBank(tmp_path)
    (tmp_path / "bank.json").write_text(
        json.dumps({**index, "tasks": {"../digits": ["a"]}})
    )
    with pytest.raises(ValueError, match="whose name is no file's"):
        OnnxBank(tmp_path)
