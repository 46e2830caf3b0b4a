"""The classes that an artefact may name, and what it may say to them.

This list is closed: opening an artefact as data makes objects of these
classes with these arguments and of nothing else. It never takes a function,
a name that is looked up, a file or a callable that is not a row here. A new
class of ``lobes`` gets a row; a test says so, and looks for gadgets in all
rows. An address is what stored artefacts name: it never changes.
"""

import re
from collections.abc import Mapping
from typing import Any

from speechbrain_petl.artefacts.format import LONGEST_CLIP, RATE, WINDOWS
from speechbrain_petl.artefacts.kinds import (
    Choice,
    Flag,
    Kind,
    ListOf,
    MapOf,
    Maybe,
    Number,
    OneOrMore,
    Record,
    Text,
)
from speechbrain_petl.artefacts.plans import LOCATED, ROLES, Made, Plan, Row
from speechbrain_petl.lobes.choices import (
    AST_POOLINGS,
    LONGER,
    POOLINGS,
    POSITIONS,
    READS,
    SHORTER,
)
from speechbrain_petl.utils.messages import printable

FLAG = Flag()
COUNT = Number(1, 2**16, whole=True)
CLIP = Number(1, LONGEST_CLIP, whole=True)
FACTOR = Number(-1e6, 1e6)
SHARE = Number(0, 1)  # of units dropped
NARROW = Number(2**-4, 2**20)  # a width over another
ODD = Number(1, 1023, whole=True)  # tokens that a convolution sees
EXPERTS = Number(1, 64, whole=True)
NAME = Text(200)
ADAPTER = Made("adapter", "mixture")
SITES = MapOf(
    Text(64, r"\w+(\[[-\d:]+\])?", "a role with or without layers"),
    OneOrMore(Made("wrapper"), 8),
    longest=64,
)
PATCHOUT = MapOf(Choice("share", "time", "frequency"), SHARE, longest=3)
OVER: dict[str, Kind] = {
    "adapter": ADAPTER,
    "place": Maybe(Choice("before", "after", "before_legacy")),
    "residual": Maybe(FLAG),
    "scale": FACTOR,
}
TOKENS: dict[str, Kind] = {
    "n_prompts": COUNT,
    "drop_distillation": FLAG,
    "n_special": Maybe(Number(0, 64, whole=True)),
}


def _row(role: str, address: str, **arguments: Kind) -> Row:
    """Makes a row; no argument has to be given."""
    return Row(role, address, Record(optional=arguments))


LOBES = "speechbrain_petl.lobes"
ROWS = (
    # Backbones and front ends
    _row(
        "backbone",
        f"{LOBES}.ast.AST",
        source=LOCATED,
        revision=Maybe(NAME),
        max_length=Maybe(CLIP),
        position_embeddings=Choice(*POSITIONS),
        pooling=Choice(*AST_POOLINGS),
    ),
    _row(
        "backbone",
        f"{LOBES}.wav2vec2.Wav2Vec2",
        source=LOCATED,
        revision=Maybe(NAME),
        max_length=Maybe(CLIP),
        pooling=Choice(*POOLINGS),
        time_masking=FLAG,
    ),
    _row(
        "backbone",
        f"{LOBES}.whisper.Whisper",
        source=LOCATED,
        revision=Maybe(NAME),
        max_length=Maybe(CLIP),
        pooling=Choice(*POOLINGS),
    ),
    _row(
        "front end",
        f"{LOBES}.features.ASTFbank",
        max_length=CLIP,
        n_mels=Number(1, 1024, whole=True),
        sample_rate=RATE,
        mean=FACTOR,
        std=Number(1e-9, 1e6),
        longer=Choice("first", "random"),
        windows=WINDOWS,
    ),
    _row(
        "front end",
        f"{LOBES}.waveforms.Waveforms",
        max_length=CLIP,
        normalize=FLAG,
        shorter=Choice(*SHORTER),
        longer=Choice(*LONGER),
        sample_rate=RATE,
        windows=WINDOWS,
    ),
    _row(
        "front end",
        f"{LOBES}.whisper_fbank.WhisperFbank",
        max_length=CLIP,
        n_mels=Number(1, 1024, whole=True),
        sample_rate=RATE,
        windows=WINDOWS,
    ),
    # What joins them
    _row(
        "encoder",
        f"{LOBES}.petl.PETLModel",
        backbone=Made("backbone"),
        insertions=Maybe(SITES),
        unfrozen=ListOf(Text(64), 1000),
        gradient_checkpointing=FLAG,
        frozen_in_train_mode=FLAG,
        patchout=Maybe(PATCHOUT),
        learner=Maybe(Made("learner")),
        first_layer=Number(-1024, 1024, whole=True),
    ),
    # Wrappers of a site
    _row("wrapper", f"{LOBES}.insertion.Parallel", **OVER),
    _row("wrapper", f"{LOBES}.insertion.Sequential", **OVER),
    _row("wrapper", f"{LOBES}.ipet.ParallelOnInput", **OVER),
    _row("wrapper", f"{LOBES}.ipet.Tap"),
    _row("wrapper", f"{LOBES}.legacy.ParallelShared", **OVER),
    _row("wrapper", f"{LOBES}.legacy.AddShared"),
    _row(
        "wrapper",
        f"{LOBES}.lora.LoRA",
        reduction_rate=Maybe(NARROW),
        rank=Maybe(COUNT),
        alpha=FACTOR,
        dropout=SHARE,
        identity=FLAG,
    ),
    _row("wrapper", f"{LOBES}.scale_shift.ScaleShift", identity=FLAG),
    _row(
        "wrapper",
        f"{LOBES}.rep_adapter.RepAdapter",
        units=COUNT,
        groups=COUNT,
        scale=FACTOR,
        dropout=SHARE,
    ),
    _row("wrapper", f"{LOBES}.prompts.Prompts", **TOKENS),
    _row("wrapper", f"{LOBES}.prompts.DeepPrompts", **TOKENS),
    _row("wrapper", f"{LOBES}.prompts.PassingPrompts", n_prompts=COUNT),
    _row(
        "wrapper",
        f"{LOBES}.prompts.InputPrompt",
        frames=CLIP,
        mels=Number(1, 1024, whole=True),
        border=Number(1, 512, whole=True),
    ),
    _row("wrapper", f"{LOBES}.prefix.PrefixRows", num_tokens=COUNT),
    _row("wrapper", f"{LOBES}.prefix.Prefix", num_tokens=COUNT),
    _row(
        "wrapper",
        f"{LOBES}.peft.PEFTLayer",
        config=Made("configuration of peft"),
    ),
    _row("wrapper", "speechbrain.nnet.adapters.LoRA", rank=COUNT, alpha=FACTOR),
    # Adapters, from [B, T, d] to the same
    _row(
        "adapter",
        f"{LOBES}.adapters.Bottleneck",
        reduction_rate=NARROW,
        activation=Made("activation"),
        dropout=SHARE,
        identity=FLAG,
    ),
    _row(
        "adapter",
        f"{LOBES}.adapters.Convpass",
        reduction_rate=NARROW,
        kernel_size=ODD,
        dropout=SHARE,
        convolution=FLAG,
        identity=FLAG,
    ),
    _row(
        "adapter",
        f"{LOBES}.conformer.Conformer",
        reduction_rate=NARROW,
        kernel_size=ODD,
        layer_norm=FLAG,
        identity=FLAG,
    ),
    # Mixtures of adapters; no mixture of mixtures
    _row(
        "mixture",
        f"{LOBES}.moa.DenseMoA",
        expert=Made("adapter"),
        n_experts=EXPERTS,
    ),
    _row(
        "mixture",
        f"{LOBES}.moa.SoftMoA",
        expert=Made("adapter"),
        n_experts=EXPERTS,
        slots=Number(1, 1024, whole=True),
        normalize=FLAG,
        phi_axis=Choice("width", "experts"),
        unit_slots=FLAG,
    ),
    # What reads the states of all layers; PETLModel gives their sizes
    _row(
        "learner",
        f"{LOBES}.learners.WeightedSum",
        reads=Choice(*READS),
        normalize=FLAG,
    ),
    _row(
        "learner",
        f"{LOBES}.learners.LAdapters",
        reads=Choice(*READS),
        normalize=FLAG,
        size=COUNT,
        activation=Made("activation"),
    ),
    _row(
        "learner",
        f"{LOBES}.ladder.Ladder",
        normalize=FLAG,
        reduction_rate=NARROW,
        heads=Number(1, 256, whole=True),
    ),
    # Heads, from embeddings [B, d] to logits [B, classes]
    _row(
        "head",
        "torch.nn.Linear",
        in_features=COUNT,
        out_features=Number(1, 2**20, whole=True),
        bias=FLAG,
    ),
    _row(
        "head",
        f"{LOBES}.heads.NormedLinear",
        width=COUNT,
        classes=Number(1, 2**20, whole=True),
        eps=Number(0, 1),
        xavier=FLAG,
    ),
    _row(
        "head",
        f"{LOBES}.heads.EmbeddingHead",
        width=COUNT,
        classes=Number(0, 2**20, whole=True),
        embedding_size=COUNT,
        cosine=FLAG,
    ),
    # Non-linearities
    _row("activation", "torch.nn.ELU"),
    _row("activation", "torch.nn.GELU", approximate=Choice("none", "tanh")),
    _row("activation", "torch.nn.Hardswish"),
    _row("activation", "torch.nn.Identity"),
    _row("activation", "torch.nn.LeakyReLU", negative_slope=FACTOR),
    _row("activation", "torch.nn.Mish"),
    _row("activation", "torch.nn.ReLU"),
    _row("activation", "torch.nn.SELU"),
    _row("activation", "torch.nn.SiLU"),
    _row("activation", "torch.nn.Sigmoid"),
    _row("activation", "torch.nn.Softplus"),
    _row("activation", "torch.nn.Tanh"),
    _row("activation", "speechbrain.nnet.activations.Swish"),
    # Configurations of the peft library, without those that write into the
    # layer that they adapt (pissa, olora, ...)
    _row(
        "configuration of peft",
        "peft.LoraConfig",
        r=COUNT,
        lora_alpha=FACTOR,
        lora_dropout=SHARE,
        use_rslora=FLAG,
        init_lora_weights=Choice(True, False, "gaussian"),
        use_dora=FLAG,
    ),
    _row(
        "configuration of peft",
        "peft.VeraConfig",
        r=Number(1, 1024, whole=True),  # draws what is not stored
        projection_prng_key=Number(0, 2**63 - 1, whole=True),
        save_projection=FLAG,
        vera_dropout=SHARE,
        d_initial=FACTOR,
    ),
    _row(
        "configuration of peft",
        "peft.IA3Config",
        feedforward_modules=ListOf(Choice("layer"), 1),
    ),
)
ALLOWED = {row.address: row for row in ROWS}


def plan(tag: str, arguments: Mapping[str, Any] | list, where: str) -> Plan:
    """Looks up what a tag asks for; its arguments are not yet checked.

    Arguments
    ---------
    tag : str
        Such as ``!name:torch.nn.GELU``.
    arguments : mapping or list
        By name, or by position.
    where : str
        The place in the file, for the message.

    Returns
    -------
    Plan

    Raises
    ------
    ValueError
        If it is not on the list, or has too many arguments.

    Example
    -------
    >>> plan("!name:os.system", ["ls"], "encoder")
    Traceback (most recent call last):
    ...
    ValueError: encoder asks for '!name:os.system', which is not one of the ...
    """
    kind, _, address = tag.partition(":")
    row = ALLOWED.get(address)
    if row is None or ROLES[row.role] != kind:
        shown = printable(re.sub("^tag:yaml.org,2002:", "!!", tag)[:100])
        raise ValueError(
            f"{printable(where)} asks for '{shown}', which is not one of the "
            "classes that are made from an artefact here; if you trust its "
            "author, load it with PETLClassifier.from_hparams, which runs "
            "what it names"
        )
    if isinstance(arguments, list):
        names = list(row.arguments.optional)
        if len(arguments) > len(names):
            raise ValueError(
                f"{printable(where)} gives '{address}' {len(arguments)} "
                f"arguments, but it takes at most {len(names)} here"
            )
        arguments = dict(zip(names, arguments))
    return Plan(row, arguments)
