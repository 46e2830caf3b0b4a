"""One training step on wav2vec 2.0: ours, PEFT, plain transformers.

A backbone of the size of wav2vec2-base with random weights, clips of 5 s as
waveforms. A step is forward, cross entropy, backward and the update of a fused
AdamW. Ours are the models of `recipes/ESC50/hparams/wav2vec2`; PEFT's LoRA has
their rank and sites, and sits, as full fine-tuning does, in
`Wav2Vec2ForSequenceClassification` with `freeze_feature_encoder()` called, so
that the convolutions need no backward pass. No dropout, LayerDrop or time
masking, which a stock model has in training: all compute the same backbone.
"""

from functools import partial
from pathlib import Path

import torch

from benchmarks.measure import Contender
from benchmarks.models import N_CLASSES, load_recipe, plain_step

HERE = "benchmarks.wav2vec2_step"
PLAIN = {
    "hidden_dropout": 0.0,
    "attention_dropout": 0.0,
    "activation_dropout": 0.0,
    "feat_proj_dropout": 0.0,
    "layerdrop": 0.0,
    "apply_spec_augment": False,
}
RANK = 6  # of the recipes: 768 / 128
#: Sizes that are not wav2vec2-base's, for trials in seconds.
SMALL = {
    "hidden_size": 192,
    "num_hidden_layers": 2,
    "num_attention_heads": 3,
    "intermediate_size": 384,
    "conv_dim": [32] * 7,
}


def make_wav2vec2(folder: Path, **sizes) -> str:
    """Writes a wav2vec 2.0 with random weights: base, but for what is given."""
    from transformers import Wav2Vec2Config, Wav2Vec2Model

    torch.manual_seed(0)
    config = Wav2Vec2Config(**PLAIN, **sizes)
    Wav2Vec2Model(config).save_pretrained(folder)
    return str(folder)


def make_step(model, opt_class, batch, frames, precision, device):
    """Makes a step on random waveforms [batch, 160 * frames], and its facts."""
    generator = torch.Generator().manual_seed(0)
    wavs = torch.randn(batch, 160 * frames, generator=generator)
    return plain_step(model, [model], wavs, opt_class, precision, device)


def ours(yaml, backbone, batch, frames, precision, device):
    """Makes a step of a recipe's model."""
    hparams = load_recipe(f"wav2vec2/{yaml}", backbone, max_length=frames)
    head = hparams["classifier"](hparams["backbone"].embedding_size, N_CLASSES)
    model = torch.nn.Sequential(hparams["encoder"], head).train()
    sizes = (batch, frames, precision, device)
    return make_step(model, hparams["opt_class"], *sizes)


class Logits(torch.nn.Module):
    """A classifier of transformers that returns logits only."""

    def __init__(self, model: torch.nn.Module):
        super().__init__()
        self.model = model

    def forward(self, wavs: torch.Tensor) -> torch.Tensor:
        """Computes logits [B, classes] of waveforms [B, samples]."""
        return self.model(wavs).logits


def classifier(backbone):
    """Loads transformers' classifier."""
    from transformers import Wav2Vec2ForSequenceClassification

    model = Wav2Vec2ForSequenceClassification.from_pretrained(
        backbone, num_labels=N_CLASSES
    )
    model.freeze_feature_encoder()
    return model


def peft_lora(backbone, batch, frames, precision, device):
    """Makes a step of PEFT's LoRA of queries and values."""
    from peft import LoraConfig, get_peft_model

    config = LoraConfig(
        r=RANK,
        lora_alpha=8,
        target_modules=["q_proj", "v_proj"],
        modules_to_save=["projector", "classifier"],
    )
    model = get_peft_model(classifier(backbone), config)
    return stock(model, batch, frames, precision, device)


def hf_full(backbone, batch, frames, precision, device):
    """Makes a step of full fine-tuning, but for the convolutions."""
    sizes = (batch, frames, precision, device)
    return stock(classifier(backbone), *sizes)


def stock(model, batch, frames, precision, device):
    """Makes a step of a stock classifier."""
    optimizer = partial(torch.optim.AdamW, fused=True)
    sizes = (batch, frames, precision, device)
    return make_step(Logits(model).train(), optimizer, *sizes)


def groups(options) -> dict[str, list[Contender]]:
    """Returns the contenders of each group."""
    sizes = SMALL if options.smoke else {}
    backbone = make_wav2vec2(options.folder / "wav2vec2", **sizes)
    shared = {
        "backbone": backbone,
        "batch": options.batch,
        "frames": options.frames,
        "device": options.device,
    }

    def contender(name, make, precision, **more):
        given = {**shared, "precision": precision, **more}
        return Contender(name, f"{HERE}:{make}", given)

    return {
        f"wav2vec 2.0 in {precision}": [
            contender("PEFT, LoRA", "peft_lora", precision),
            contender("transformers, full", "hf_full", precision),
            *(
                contender(f"ours, {yaml}", "ours", precision, yaml=yaml)
                for yaml in ("lora", "adapter_hou_par", "ipet")
            ),
        ]
        for precision in ("fp32", "bf16")
    }
