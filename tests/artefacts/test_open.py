"""Every artefact that the library writes is opened as data."""

from pathlib import Path

import pytest
import torch
from speechbrain_petl.artefacts.format import label_map
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.artefacts.self_check import probe_logits
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


def test_the_label_map_is_speechbrains(tmp_path):
    labels = ["dog", "it's", 'say "a"', "日本語", "line\nfeed", "", " => 3"]
    encoder = CategoricalEncoder()
    encoder.update_from_iterable(labels)
    encoder.save(tmp_path / "map.txt")
    text = (tmp_path / "map.txt").read_text("utf-8")
    assert text == label_map(labels)
