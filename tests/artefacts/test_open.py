"""Every artefact that the library writes is opened as data."""

import runpy
from functools import partial
from pathlib import Path

import pytest
import torch
from speechbrain_petl.artefacts.format import label_map
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.artefacts.self_check import probe_logits, probe_waveform
from speechbrain_petl.artefacts.write import write_artefact
from speechbrain_petl.inference import PETLClassifier
from speechbrain_petl.lobes import LoRA, PETLModel
from speechbrain_petl.lobes.ast import AST

from speechbrain.dataio.encoder import CategoricalEncoder

ROOT = Path(__file__).parents[2]
HPARAMS = ROOT / "recipes" / "ESC50" / "hparams"
MATRIX = ROOT / "tools" / "backbone_matrix.py"
YAMLS = sorted(path.stem for path in HPARAMS.glob("*.yaml"))


def check(folder, hparams, head, tiny_folder):
    """Compares an opened artefact with the modules that it was made of."""
    trained = Artefact.open(folder).load(AST(tiny_folder))
    delta, again = hparams["encoder"].delta(), trained.encoder.delta()
    assert delta.keys() == again.keys()
    assert all(torch.equal(delta[name], again[name]) for name in delta)
    probe = {"seed": 3, "samples": 7000}
    own = (hparams["compute_features"], hparams["encoder"].eval(), head)
    assert torch.equal(
        probe_logits(probe, *trained.modules), probe_logits(probe, *own)
    )


@pytest.mark.slow
@pytest.mark.parametrize("yaml", YAMLS)
def test_every_variant(yaml, make_artefact, tmp_path, tiny_folder):
    made = make_artefact(tmp_path / "a", yaml)
    check(tmp_path / "a", *made, tiny_folder)


LORA = "!name:speechbrain_petl.lobes.lora.LoRA"
PEFT = "!name:speechbrain_petl.lobes.peft.PEFTLayer {{config: {}}}"
OTHERS = {
    "SpeechBrain": "!name:speechbrain.nnet.adapters.LoRA {rank: 4, alpha: 2.0}",
    "several": "\n            - !name:speechbrain.nnet.adapters.LoRA"
    "\n                rank: 4\n            - !name:speechbrain_petl.lobes.lora."
    "LoRA\n                rank: 2",
    "dora": PEFT.format("!name:peft.LoraConfig {r: 4, use_dora: True}"),
    "vera": PEFT.format("!name:peft.VeraConfig {r: 4}"),
    "ia3": PEFT.format("!name:peft.IA3Config {feedforward_modules: [layer]}"),
}


@pytest.mark.parametrize("other", OTHERS)
def test_wrappers_of_other_libraries(
    other, make_artefact, tmp_path, tiny_folder, monkeypatch
):
    if "peft." in OTHERS[other]:
        pytest.importorskip("peft")
    read = Path.read_text

    def read_text(path, *args, **kwargs):
        """Puts another wrapper into the recipe."""
        text = read(path, *args, **kwargs)
        if path.name != "lora.yaml":
            return text
        before, _, rest = text.partition(f"query: {LORA}")
        rest = rest[rest.index("    unfrozen:") :]
        return f"{before}query: {OTHERS[other]}\n{rest}"

    monkeypatch.setattr(Path, "read_text", read_text)
    made = make_artefact(tmp_path / "a", "lora")
    monkeypatch.undo()
    check(tmp_path / "a", *made, tiny_folder)


FAMILY = """\
backbone: &b !apply:speechbrain_petl.lobes.load_backbone
    source: x
    max_length: 48
compute_features: !apply:speechbrain_petl.lobes.front_end_of
    backbone: *b
encoder: !new:speechbrain_petl.lobes.petl.PETLModel
    backbone: *b
    insertions:
        query: !name:speechbrain_petl.lobes.lora.LoRA
            rank: 2
    unfrozen: [norm_ffn]
classifier: !name:torch.nn.Linear
"""


@pytest.mark.parametrize("family", ["wav2vec 2.0", "Whisper's encoder"])
def test_other_families(family, tmp_path):
    """A row for the backbone and one for its front end, and no other code."""
    matrix = runpy.run_path(str(MATRIX))
    backbone = matrix["make_tiny"](family, tmp_path / "backbone")
    encoder = PETLModel(
        backbone, {"query": partial(LoRA, rank=2)}, ["norm_ffn"]
    )
    front_end = backbone.front_end()
    head = torch.nn.Linear(backbone.embedding_size, 2)
    labels = CategoricalEncoder()
    labels.update_from_iterable("ab")
    with torch.no_grad():
        for tensor in encoder.delta().values():
            tensor += 0.1
    write_artefact(
        tmp_path / "a",
        backbone,
        front_end,
        encoder,
        head,
        labels,
        FAMILY.replace("48", str(backbone.max_length)),
        {
            "method": "lora",
            "trainable": encoder.count_parameters(),
            "training": {"corpus": "x", "hyperparameters": {}},
            "metrics": {"accuracy": 0.5},
        },
    )
    artefact = Artefact.open(tmp_path / "a")
    trained = artefact.load(artefact.backbone(str(tmp_path / "backbone")))
    own = (front_end, encoder.eval(), head)
    probe = {"seed": 3, "samples": 7000}
    expected = probe_logits(probe, *own)
    assert torch.equal(probe_logits(probe, *trained.modules), expected)
    plain = PETLClassifier.from_hparams(
        str(tmp_path / "a"),
        overrides={"source": str(tmp_path / "backbone")},
    )
    found = plain.classify_batch(probe_waveform(3, 7000))[0][0]
    torch.testing.assert_close(found, expected.log_softmax(0))


def test_the_label_map_is_speechbrains(tmp_path):
    labels = ["dog", "it's", 'say "a"', "日本語", "line\nfeed", "", " => 3"]
    encoder = CategoricalEncoder()
    encoder.update_from_iterable(labels)
    encoder.save(tmp_path / "map.txt")
    text = (tmp_path / "map.txt").read_text("utf-8")
    assert text == label_map(labels)


def test_a_class_that_is_not_listed_is_written_with_a_warning(
    make_artefact, tmp_path, monkeypatch, caplog
):
    """``from_hparams`` loads it; nobody else does."""
    read = Path.read_text
    monkeypatch.setattr(
        Path,
        "read_text",
        lambda path, *args, **kwargs: read(path, *args, **kwargs).replace(
            "reduction_rate: !ref <reduction_rate>",
            "reduction_rate: !ref <reduction_rate>\n"
            "                activation: !name:torch.nn.PReLU",
        ),
    )
    make_artefact(tmp_path / "a")
    assert "Only PETLClassifier.from_hparams will load" in caplog.text
    with pytest.raises(ValueError, match="'!name:torch.nn.PReLU', which is"):
        Artefact.open(tmp_path / "a")
