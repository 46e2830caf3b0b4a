"""A training step of the peers: PEFT, plain Hugging Face."""

from functools import partial

import torch

from benchmarks.models import N_CLASSES
from benchmarks.training_step import make_step


def peft_lora(backbone, batch, frames, precision, device):
    """Makes a step of PEFT's LoRA of queries and values on HF's classifier."""
    from peft import LoraConfig, get_peft_model

    model = classifier(backbone, frames)
    config = LoraConfig(
        r=round(model.config.hidden_size / 128),
        lora_alpha=8,
        target_modules=["q_proj", "v_proj"],
        modules_to_save=["classifier"],
    )
    model = get_peft_model(model, config)
    return hugging_face(model, batch, frames, precision, device)


def hf_full(backbone, batch, frames, precision, device):
    """Makes a step of Hugging Face's classifier, all of it trained."""
    model = classifier(backbone, frames)
    return hugging_face(model, batch, frames, precision, device)


def classifier(backbone, frames):
    """Loads Hugging Face's classifier for another length and classes."""
    from transformers import ASTForAudioClassification

    return ASTForAudioClassification.from_pretrained(
        backbone,
        max_length=frames,
        num_labels=N_CLASSES,
        ignore_mismatched_sizes=True,
    )


def hugging_face(model, batch, frames, precision, device):
    """Makes a step of a Hugging Face model in a plain loop."""

    def forward(feats):
        return model(feats).logits

    # Fused, as the recipes' is: nobody is slower for want of an option.
    optimizer = partial(torch.optim.AdamW, fused=True)
    sizes = (batch, frames, precision, device)
    return make_step(forward, [model.train()], optimizer, *sizes)
