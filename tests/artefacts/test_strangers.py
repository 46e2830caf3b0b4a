"""Artefacts that try to do more than compute: none of their code is run."""

import json
import os
import pickle
import re
import resource
import shutil
import sys
from pathlib import Path

import pytest
import torch
from speechbrain_petl.artefacts.format import FILES, label_map
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.cli.main import main
from speechbrain_petl.inference import AdapterBank, PETLClassifier
from torch import nn


class Evil:
    """Creates a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return open, (str(self.path), "w")


@pytest.fixture(scope="module")
def original(make_artefact, tmp_path_factory):
    """An artefact."""
    folder = tmp_path_factory.mktemp("original") / "artefact"
    make_artefact(folder)
    return folder


@pytest.fixture
def artefact(original, tmp_path, tiny_folder, monkeypatch):
    """A copy to spoil, whose backbone is found by itself."""
    folder = str(Path(tiny_folder).parent)
    monkeypatch.setenv("SPEECHBRAIN_PETL_BACKBONES", folder)
    return Path(shutil.copytree(original, tmp_path / "artefact"))


@pytest.fixture
def says(artefact, tmp_path, capsys):
    """``says()``: how all that read artefacts as data refuse this one."""

    def refusal():
        (tmp_path / "clip.wav").write_bytes(b"")
        said = []
        for more in (["verify"], ["predict"]):
            files = [str(tmp_path / "clip.wav")] * (more == ["predict"])
            assert main([*more, str(artefact), *files]) == 2
            said.append(capsys.readouterr().err)
            last = said[-1].rpartition("\r")[2]  # without a progress bar
            assert last.strip("\n").count("\n") == 0, "one sentence"
        with pytest.raises(ValueError):
            AdapterBank().add("task", artefact)
        assert not (tmp_path / "owned").exists(), "code of it was run"
        return said[0]

    return refusal


def rewrite(artefact, name, change):
    """Changes a text file of an artefact."""
    path = artefact / name
    before = path.read_text()
    path.write_text(change(before))
    assert path.read_text() != before


def set_metadata(artefact, where, value):
    """Sets a dotted key of artefact.json; ``...`` removes it."""
    metadata = json.loads((artefact / "artefact.json").read_text())
    *path, last = where.split(".")
    inner = metadata
    for key in path:
        inner = inner[key]
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    (artefact / "artefact.json").write_text(json.dumps(metadata))


def as_activation(artefact, yaml):
    """Puts YAML where an adapter's activation is named, which it calls."""
    rewrite(
        artefact,
        "hyperparams.yaml",
        lambda text: text.replace(
            "reduction_rate: 64", f"reduction_rate: 64\n        {yaml}"
        ),
    )


CALLED = {
    "unpickles": "!name:peft.utils.save_and_load.torch_load "
    "{f: PICKLE, weights_only: false}",
    "imports": "!name:torch.nn.attention._fa4.register_flash_attention_fa4 "
    "{module_path: artefact.custom}",
    "function": "!name:torch.nn.init.zeros_ {tensor: [1]}",
    "imports a package": "!name:peft.import_utils.is_bnb_available",
    "loads a model": "!name:speechbrain.nnet.loss.stoi_loss.thirdoct",
    "wrapper": "!name:speechbrain_petl.lobes.lora.LoRA {rank: 2}",
    "class of torch": "!name:torch.nn.Sequential",
    "dotted": "!name:torch.nn.modules.activation.GELU.forward",
}


@pytest.mark.parametrize("attack", CALLED)
@pytest.mark.fault("artefact: a function by name, called in place of a module")
def test_no_function_by_name(attack, artefact, says, tmp_path, monkeypatch):
    (tmp_path / "pickle").write_bytes(pickle.dumps(Evil(tmp_path / "owned")))
    (artefact / "custom.py").write_text(
        f"open({str(tmp_path / 'owned')!r}, 'w')"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    yaml = CALLED[attack].replace("PICKLE", str(tmp_path / "pickle"))
    as_activation(artefact, f"activation: {yaml}")
    for name in ("artefact", "artefact.custom"):
        sys.modules.pop(name, None)
    says()
    assert "artefact.custom" not in sys.modules


@pytest.mark.fault("artefact: a hook for all modules")
def test_a_refused_artefact_leaves_nothing_behind(artefact, says, original):
    bank = AdapterBank()
    bank.add("good", original)
    before = bank.classify_batch(torch.ones(1, 7000), tasks="good")
    hooks = len(nn.modules.module._global_forward_hooks)
    as_activation(
        artefact,
        "activation: !name:torch.nn.modules.module.register_module_forward_hook"
        " {hook: !name:torch.nn.ReLU }",
    )
    says()
    assert len(nn.modules.module._global_forward_hooks) == hooks
    after = bank.classify_batch(torch.ones(1, 7000), tasks="good")
    assert torch.equal(before[0].posteriors, after[0].posteriors)


@pytest.mark.fault("artefact: other code in custom.py")
def test_custom_code_is_the_one_that_all_have(artefact, says, tmp_path):
    (artefact / "custom.py").write_text(
        f"open({str(tmp_path / 'owned')!r}, 'w')"
    )
    assert "custom.py" in says()


EVERYWHERE = {
    "another key": "more: !apply:os.system [touch OWNED]",
    "a class that is not listed": "more: !new:torch.nn.Sequential []",
    "python": "more: !!python/object/apply:os.system [touch OWNED]",
    "another loader": "pretrainer: !new:subprocess.Popen [[touch, OWNED]]",
    "another rate": "audio_normalizer: !new:speechbrain.dataio.preprocess."
    "AudioNormalizer {sample_rate: 1}",
}


@pytest.mark.parametrize("attack", EVERYWHERE)
@pytest.mark.fault("artefact: code in a part of the YAML that is not loaded")
def test_every_key_is_checked(attack, artefact, tmp_path):
    line = EVERYWHERE[attack].replace("OWNED", str(tmp_path / "owned"))
    key = line.partition(":")[0]
    rewrite(
        artefact,
        "hyperparams.yaml",
        lambda text: re.sub(rf"(?m)^{key}: .*\n(?: .*\n|\n)*", "", text)
        + f"\n{line}\n",
    )
    with pytest.raises(ValueError, match=f"hyperparams.yaml.*{key}"):
        Artefact.open(artefact)


BOMB = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]\n"
    for a, b in zip("abcdefghi", "bcdefghij")
)
SIZES = {
    "alias bomb": (lambda text: BOMB + text, "alias"),
    "many keys": (
        lambda t: "".join(f"k{i}: 0\n" for i in range(6000)) + t,
        "larger",
    ),
    "deep": (lambda t: f"deep: {'[' * 3000}{']' * 3000}\n{t}", "larger"),
    "bytes": (lambda t: f"{t}# {'x' * 70000}\n", "bytes, more than"),
    "frames": (
        lambda t: t.replace("max_length: 48", "max_length: 4000000"),
        "max_length should be a whole number from 1 to 16,384, not 4000000",
    ),
    "bottleneck": (
        lambda t: t.replace("reduction_rate: 64", "reduction_rate: 1.0e-7"),
        "reduction_rate should be a number",
    ),
    "a bottleneck of another size": (
        lambda t: t.replace("reduction_rate: 64", "reduction_rate: 0.0625"),
        r"petl.safetensors.* instead of \(3072, 192\)",
    ),
    "head": (
        lambda t: t.replace("out_features: 3", "out_features: 1000000"),
        r"'head.bias' of shape \(3,\) instead of \(1000000,\)",
    ),
    "infinite": (
        lambda t: t.replace("std: 4.5689974", "std: .inf"),
        "std should be a number",
    ),
    "many experts": (
        lambda t: t.replace(
            "adapter: !name:speechbrain_petl.lobes.adapters.Bottleneck",
            "adapter: !name:speechbrain_petl.lobes.moa.DenseMoA\n"
            "        n_experts: 1000000\n"
            "        expert: !name:speechbrain_petl.lobes.adapters.Bottleneck",
        )
        .replace("        reduction_rate", "          reduction_rate")
        .replace("        identity", "          identity"),
        "n_experts should be a whole number from 1 to 64",
    ),
    "refers to itself": (
        lambda t: t.replace(
            "backbone: !ref <backbone>", "backbone: !ref <encoder>", 1
        ),
        "refers to itself",
    ),
}


@pytest.mark.parametrize("case", SIZES)
@pytest.mark.fault("artefact: YAML that asks for too much")
def test_sizes_are_checked_before_anything_is_built(case, artefact, tiny_ast):
    change, message = SIZES[case]
    rewrite(artefact, "hyperparams.yaml", change)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match=message):
        Artefact.open(artefact).load(tiny_ast)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 200_000, "kB"


@pytest.mark.parametrize("name", FILES)
@pytest.mark.fault("artefact: a pipe, a device or a folder for a file")
def test_only_regular_files_are_read(name, artefact, capsys):
    (artefact / name).unlink()
    for make in (os.mkfifo, os.mkdir):
        make(artefact / name)
        with pytest.raises(ValueError, match=f"{name}' is a folder, a pipe"):
            Artefact.open(artefact)
        (artefact / name).rmdir() if make == os.mkdir else (
            (artefact / name).unlink()
        )
    (artefact / name).symlink_to("/dev/zero")
    with pytest.raises(ValueError, match=f"{name}' is a symbolic link"):
        Artefact.open(artefact)


@pytest.mark.fault("artefact: a symbolic link")
def test_links_are_refused_everywhere(artefact, tmp_path, capsys, tiny_folder):
    secret = tmp_path / "secret"
    secret.write_bytes((artefact / "README.md").read_bytes())
    (artefact / "README.md").unlink()
    (artefact / "README.md").symlink_to(secret)
    before = secret.read_bytes()
    commands = (
        ["verify", str(artefact)],
        ["inspect", str(artefact)],
        ["push", str(artefact), "owner/name", "--license", "mit"],
        ["merge", str(artefact), str(tmp_path / "merged")],
    )
    for command in commands:
        assert main(command) == 2
        assert "README.md' is a symbolic link" in capsys.readouterr().err
    assert secret.read_bytes() == before
    (artefact / "README.md").unlink()
    (artefact / "README.md").write_bytes(before)
    tensors = artefact / "petl.safetensors"
    tensors.rename(tmp_path / "elsewhere")
    tensors.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ValueError, match="petl.safetensors' is a symbolic"):
        PETLClassifier.from_hparams(
            str(artefact), overrides={"source": tiny_folder}
        )


MISFITS = [
    ("features", ..., "features is missing"),
    ("training", ..., "training is missing"),
    ("metrics", ..., "metrics is missing"),
    ("trainable", ..., "trainable is missing"),
    ("versions", ..., "versions is missing"),
    ("method", ..., "method is missing"),
    ("features.sample_rate", ..., "features.sample_rate is missing"),
    ("features.max_length", 4_000_000, "features.max_length should be a whole"),
    ("training.corpus", 3, "training.corpus should be a text"),
    (
        "training.clips",
        {"train": {"number": "x"}},
        "training.clips.train.number",
    ),
    ("metrics.accuracy", "high", "metrics.accuracy should be a number"),
    ("metrics.accuracy", float("nan"), "metrics.accuracy should be a number"),
    ("trainable.method", -1, "trainable.method should be a whole number"),
    (
        "backbone.source",
        "../other",
        "backbone.source should be a folder's name",
    ),
    ("backbone.source", "/etc", "backbone.source should be a folder's name"),
    ("backbone.revision", "a b", "backbone.revision should be a branch"),
    ("backbone.fingerprint", "0", "backbone.fingerprint should be 64"),
    ("tensors.sha256", "x" * 64, "tensors.sha256 should be 64"),
    ("tensors.bytes", 2**60, "tensors.bytes should be a whole number"),
    ("tensors.bytes", 9, "has .* bytes, but artefact.json says 9"),
    ("probe.tolerance", float("inf"), "probe.tolerance should be a number"),
    ("probe.tolerance", float("nan"), "probe.tolerance should be a number"),
    ("probe.tolerance", 1e9, "probe.tolerance should be a number"),
    ("probe.logits", [0.0, float("nan"), 1.0], r"probe.logits\[1\] should be"),
    ("probe.samples", 10**9, "probe.samples should be a whole number"),
    ("labels", [], "labels should be one or more"),
    ("labels", ["a", "b"], "as many, not 2 and 3"),
    ("labels", list("abcdef"), "as many, not 6 and 3"),
    ("labels", ["a", "a", "b"], "labels should differ"),
    ("labels", ["a", "b", "c" * 5000], r"labels\[2\] should be a text of at"),
    ("format_version", True, "update it"),
]


@pytest.mark.parametrize("key, value, message", MISFITS)
@pytest.mark.fault("artefact: metadata that do not fit the schema")
def test_every_key_of_the_metadata_has_a_kind(
    key, value, message, artefact, tiny_ast
):
    set_metadata(artefact, key, value)
    with pytest.raises(ValueError, match=message) as caught:
        Artefact.open(artefact).load(tiny_ast)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("n", [1, 2, 6])
@pytest.mark.fault("artefact: more or fewer labels than logits")
def test_labels_are_as_many_as_logits(n, artefact, tiny_ast, make_artefact):
    """Those of the metadata, of the label map and of the probe agree."""
    labels = list("abcdef")[:n]
    set_metadata(artefact, "labels", labels)
    set_metadata(artefact, "probe.logits", [0.1] * n)
    (artefact / "label_encoder.txt").write_text(label_map(labels))
    with pytest.raises(
        ValueError, match=f"3 logits, but artefact.json has {n}"
    ):
        Artefact.open(artefact).load(tiny_ast)


@pytest.mark.fault("artefact: a folder that names a repository of the hub")
def test_a_folder_does_not_decide_what_is_fetched(
    artefact, monkeypatch, capsys
):
    set_metadata(artefact, "backbone.source", "stranger/backbone")
    asked = []
    monkeypatch.setattr(
        "speechbrain_petl.lobes.ast.ASTModel.from_pretrained",
        lambda source, **_: asked.append(source) or 1 / 0,
    )
    for command in ("verify", "predict"):
        files = [__file__] * (command == "predict")  # of a file that is there
        assert main([command, str(artefact), *files]) == 2
        assert "allow it with --fetch" in capsys.readouterr().err
    assert not asked
    with pytest.raises(ZeroDivisionError):
        Artefact.open(artefact).backbone(fetch=True)
    with pytest.raises(ZeroDivisionError):
        Artefact.open(artefact).backbone(source="mine/backbone")
    assert asked == ["stranger/backbone", "mine/backbone"]


def test_what_is_in_the_cache_is_not_fetched(
    artefact, tiny_folder, tmp_path, monkeypatch
):
    set_metadata(artefact, "backbone.source", "somebody/backbone")
    cache = tmp_path / "hub" / "models--somebody--backbone"
    shutil.copytree(tiny_folder, cache / "snapshots" / ("c" * 40))
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("c" * 40)
    monkeypatch.setattr(
        "huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub")
    )
    backbone = Artefact.open(artefact).backbone()
    assert backbone.source == "somebody/backbone"


def test_labels_and_names_do_not_act(make_artefact, tmp_path, capsys):
    red, page = "\x1b[31mred\x07", "<script>a</script>[x](javascript:1)"
    make_artefact(tmp_path / "a", labels=[red, page, "line\nfeed \u202eback"])
    assert main(["inspect", str(tmp_path / "a")]) == 0
    shown = capsys.readouterr().out
    card = (tmp_path / "a" / "README.md").read_text()
    for text in (shown, card):
        assert "\x1b" not in text and "\x07" not in text
        assert "\u202e" not in text and "line\nfeed" not in text
    assert "<script>" not in card and not re.search(r"[^\\]\]\(jav", card)
    assert main(["verify", str(tmp_path / "no\x1b[31m\nsuch")]) == 2
    said = capsys.readouterr().err
    assert "\x1b" not in said and said.count("\n") == 1


def test_no_option_of_the_backbone_has_to_be_there(artefact, tiny_folder):
    """Both ways of loading know the defaults of its class."""
    rewrite(
        artefact,
        "hyperparams.yaml",
        lambda text: text.replace(
            "  position_embeddings: resize\n", ""
        ).replace("  pooling: mean\n", ""),
    )
    wavs = torch.rand(2, 7000)
    plain = PETLClassifier.from_hparams(
        str(artefact), overrides={"source": tiny_folder}
    )
    safe = PETLClassifier.from_artefact(artefact)
    assert torch.equal(
        plain.classify_batch(wavs)[0], safe.classify_batch(wavs)[0]
    )
