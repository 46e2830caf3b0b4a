"""AdapterBank: sharing, mixed batches, threads."""

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import soundfile
import torch
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.inference.bank import AdapterBank
from speechbrain_petl.inference.classifier import PETLClassifier
from speechbrain_petl.lobes.ast import AST

HPARAMS = Path(__file__).parents[2] / "recipes" / "ESC50" / "hparams"
YAMLS = sorted(path.stem for path in HPARAMS.glob("*.yaml"))[::3]


@pytest.fixture(scope="module")
def folders(make_artefact, tmp_path_factory):
    """Artefacts of every third variant, of different sizes and lengths."""
    root = tmp_path_factory.mktemp("bank")
    for i, yaml in enumerate(YAMLS):
        make_artefact(
            root / yaml,
            yaml,
            labels=[f"{yaml} {j}" for j in range(2 + i % 4)],
            max_length=(48, 48, 64)[i % 3],
            pooling=("mean", "cls", "cls_dist")[i % 3],
            feature_std=(4.5, 5.0)[i % 2],
        )
    return {yaml: root / yaml for yaml in YAMLS}


@pytest.fixture
def bank(folders, tiny_folder):
    """All of them."""
    bank = AdapterBank(tiny_folder)
    for task, folder in folders.items():
        bank.add(task, folder)
    return bank


def clips(n):
    """Waveforms [n, 7000]."""
    return torch.rand(n, 7000, generator=torch.Generator().manual_seed(n)) - 0.5


def test_a_mixed_batch_is_what_each_clip_gives_alone(
    bank, folders, tiny_folder
):
    tasks = [*YAMLS, *YAMLS[::-1]]
    wavs = clips(len(tasks))
    lens = torch.linspace(0.5, 1, len(tasks))
    found = bank.classify_batch(wavs, lens, tasks)
    for i, (task, prediction) in enumerate(zip(tasks, found)):
        alone = PETLClassifier.from_hparams(
            str(folders[task]), overrides={"source": tiny_folder}
        ).classify_batch(wavs[i : i + 1], lens[i : i + 1])
        assert prediction.task == task
        assert torch.allclose(prediction.posteriors, alone[0][0], atol=1e-5)
        assert prediction.label == alone[3][0]


def test_tasks_share_the_backbone(folders, tiny_folder):
    bank, sizes = AdapterBank(tiny_folder), []
    for i in range(6):
        bank.add(str(i), folders["adapter_hou_par"])
        sizes.append(bank.n_bytes())
    trained = sum(t.nbytes for t in bank["0"].encoder.delta().values())
    trained += sum(t.nbytes for t in bank["0"].classifier.parameters())
    steps = [b - a for a, b in zip(sizes, sizes[1:])]
    assert steps == [trained] * 5


def test_a_loaded_backbone_is_shared(folders, tiny_folder):
    stock = AST(tiny_folder)
    own = {p.data_ptr() for p in stock.parameters()}
    banks = [AdapterBank(stock), AdapterBank(stock)]
    for bank in banks:
        bank.add("a", folders["adapter_hou_par"])
        tensors = {p.data_ptr() for p in bank["a"].encoder.parameters()}
        assert len(tensors & own) > 20
    with torch.no_grad():
        next(stock.parameters()).add_(1.0)
    with pytest.raises(ValueError, match="is not the one that this artefact"):
        AdapterBank(stock).add("a", folders["adapter_hou_par"])


def test_tasks_come_and_go(bank, tiny_folder, folders):
    assert bank.tasks == tuple(YAMLS)
    bank.remove(YAMLS[0])
    assert bank.tasks == tuple(YAMLS[1:])
    with pytest.raises(ValueError, match=f"no task '{YAMLS[0]}'"):
        bank.classify_batch(clips(1), tasks=YAMLS[0])
    with pytest.raises(ValueError, match="already"):
        bank.add(YAMLS[1], folders[YAMLS[1]])
    with pytest.raises(ValueError, match="2 clips but 1 tasks"):
        bank.classify_batch(clips(2), tasks=[YAMLS[1]])
    bank.add(YAMLS[0], folders[YAMLS[0]])
    assert bank.tasks == (*YAMLS[1:], YAMLS[0])


def test_a_file_by_all_tasks(bank, tmp_path):
    path = tmp_path / "long.wav"
    soundfile.write(path, clips(3).flatten().numpy(), 16000, subtype="FLOAT")
    predictions = bank.classify_file(path)
    assert [p.task for p in predictions] == YAMLS
    assert all(p.label.startswith(p.task) for p in predictions)
    sums = torch.stack([p.posteriors.exp().sum() for p in predictions])
    assert torch.allclose(sums, torch.ones(len(YAMLS)))


def test_reading_in_threads_while_tasks_change(bank, folders):
    wavs = clips(4)
    tasks = [YAMLS[0], YAMLS[1], YAMLS[0], YAMLS[1]]
    expected = bank.classify_batch(wavs, tasks=tasks)

    def read(_):
        return bank.classify_batch(wavs, tasks=tasks)

    with ThreadPoolExecutor(4) as pool:
        futures = pool.map(read, range(24))
        for i in range(3):
            bank.add(f"new {i}", folders[YAMLS[2]])
            bank.remove(f"new {i}")
        for found in futures:
            for a, b in zip(found, expected):
                assert torch.allclose(a.posteriors, b.posteriors, atol=1e-6)


def test_another_backbone_or_rate_is_refused(
    bank, make_artefact, tmp_path, tiny_ast
):
    make_artefact(tmp_path / "slow", sample_rate=8000)
    with pytest.raises(ValueError, match="8000 Hz"):
        bank.add("slow", tmp_path / "slow")
    with torch.no_grad():
        tiny_ast.model.layernorm.bias += 1
    tiny_ast.model.save_pretrained(tmp_path / "other_ast")
    make_artefact(tmp_path / "other", source=str(tmp_path / "other_ast"))
    with pytest.raises(ValueError, match="another backbone"):
        bank.add("other", tmp_path / "other")


LOUD = 3e29  # finite, but its power is not


def test_an_output_that_is_not_finite_is_refused(bank, tmp_path):
    path = tmp_path / "loud.wav"
    soundfile.write(path, clips(1)[0].numpy() * LOUD, 16000, subtype="FLOAT")
    with pytest.raises(ValueError, match="loud.wav"):
        bank.classify_file(path)
    wavs = clips(3)
    wavs[1] *= LOUD
    with pytest.raises(ValueError, match="clip 1 .*not finite"):
        bank.classify_batch(wavs, tasks=YAMLS[0])


def test_a_task_that_changes_the_backbone_is_noticed(
    bank, folders, monkeypatch
):
    """Its weights are everybody's; no task that is listed does this."""
    load = Artefact.load

    def spoil(artefact, backbone, fit):
        """Writes into the shared tensors while it loads."""
        trained = load(artefact, backbone, fit)
        next(backbone.parameters()).data[0] += 1e-3
        return trained

    monkeypatch.setattr(Artefact, "load", spoil)
    with pytest.raises(ValueError, match="'more' changed the weights"):
        bank.add("more", folders[YAMLS[0]])
    assert bank.tasks == (), "none of the answers would be right"
    monkeypatch.undo()
    bank.add("again", folders[YAMLS[0]])
    assert bank.tasks == ("again",)


def test_a_refused_artefact_does_not_choose_the_backbone(
    folders, tiny_folder, tmp_path
):
    shutil.copytree(folders[YAMLS[0]], tmp_path / "bad")
    file = tmp_path / "bad" / "artefact.json"
    metadata = json.loads(file.read_text())
    metadata["probe"]["logits"][0] += 1
    file.write_text(json.dumps(metadata))
    bank = AdapterBank(tiny_folder)
    with pytest.raises(ValueError, match="The probe fails"):
        bank.add("bad", tmp_path / "bad")
    bank.add("good", folders[YAMLS[0]])
    assert bank.tasks == ("good",)
