"""IPET and PETL_AST's wav2vec adapters against numbers of their own code.

``tests/golden_w2v/<case>.safetensors`` holds what IPET's code (at cc1e35a,
transformers 4.23.1) or PETL_AST's (at 1fe23af, transformers 4.28.1) computed
for ``inputs.safetensors`` with the tiny random models of ``backbone_*``, in
float32 and evaluation mode, under our names of the tensors: ``delta/`` has
the trained tensors, ``head.*`` the classifier, ``io/`` the outputs (``_long``:
of the longer input) and ``grad/`` the gradients. ``cases.py`` says how to
build each case here.
"""

import json
import runpy
from functools import partial
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from speechbrain_petl.lobes.adapters import Bottleneck
from speechbrain_petl.lobes.conformer import Conformer
from speechbrain_petl.lobes.families import load_backbone
from speechbrain_petl.lobes.heads import NormedLinear
from speechbrain_petl.lobes.insertion import Parallel
from speechbrain_petl.lobes.ipet import ParallelOnInput, Tap
from speechbrain_petl.lobes.petl import PETLModel
from speechbrain_petl.lobes.pooling import mean_std
from speechbrain_petl.lobes.prompts import PassingPrompts
from torch import nn
from transformers import ASTConfig, ASTModel, Wav2Vec2Config, Wav2Vec2Model

GOLDEN = Path(__file__).parent.parent / "golden_w2v"
CASES = runpy.run_path(str(GOLDEN / "cases.py"))["CASES"]
NOT_MODELS = {"inputs", "ipet_pooling"}
INPUTS = load_file(GOLDEN / "inputs.safetensors")
ROUNDING = 1e-5  # of the largest value, or of 1


def build(name, inputs):
    """The model and the head of a case, with the reference's weights."""
    case = CASES[name]
    golden = load_file(GOLDEN / f"{name}.safetensors")
    options = {"max_length": len(inputs[0])} if inputs.dim() == 3 else {}
    backbone = load_backbone(
        str(GOLDEN / f"backbone_{case.get('backbone', 'group')}"),
        pooling=case.get("pooling", "mean"),
        **options,
    )
    model = PETLModel(
        backbone, case.get("insertions"), case.get("unfrozen", ())
    )
    model.load_delta(part(golden, "delta/"))
    head = make_head(part(golden, "head."))
    return model.eval(), head, golden


def make_head(tensors):
    """The reference's head: speaker embeddings, LayerNorm, or linear only."""
    if "0.weight" in tensors:
        width, size = tensors["0.weight"].shape[::-1]
        classes = len(tensors["2.bias"])
        head = nn.Sequential(
            nn.Linear(width, size), nn.LayerNorm(size), nn.Linear(size, classes)
        )
    elif "dense.weight" in tensors:
        head = NormedLinear(*tensors["dense.weight"].shape[::-1], eps=1e-5)
    else:
        head = nn.Linear(*tensors["weight"].shape[::-1])
    head.load_state_dict(tensors)
    return head


def part(golden, prefix):
    """The tensors under a prefix, without it."""
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in golden.items()
        if name.startswith(prefix)
    }


def watch(model):
    """Records what enters and leaves the layers, and the last of all."""
    seen = {}
    for site in model.sites:
        if site.role == "layer":
            module = model.model.get_submodule(site.path)
            n = site.layer
            module.register_forward_hook(
                partial(_note, seen, f"hidden_{n}", f"hidden_{n + 1}"),
                with_kwargs=True,
            )
    return seen


def _note(seen, before, after, module, args, kwargs, output):
    """Keeps a layer's input and output."""
    seen[before] = args[0] if args else kwargs["hidden_states"]
    seen[after] = output[0] if isinstance(output, tuple) else output


def assert_close(ours, golden):
    """Every golden tensor is there and equal but for rounding."""
    assert golden
    for name, want in golden.items():
        bound = ROUNDING * max(1.0, want.abs().max().item())
        found = ours[name]
        assert found is not None, name
        assert found.shape == want.shape, name
        assert (found - want).abs().max().item() <= bound, name


@pytest.mark.parametrize("name", CASES)
def test_equals_reference(name):
    case = CASES[name]
    kind = case.get("inputs", "wave")
    inputs = INPUTS[f"{kind}_short"]
    lens = torch.ones(len(inputs))
    model, head, golden = build(name, inputs)
    seen = watch(model)
    seen["last_hidden"] = model.model.tokens(inputs, lens)
    pooled = model(inputs, lens)
    logits = head(pooled)
    target = "target_soft" if name.startswith("ipet") else "target_index"
    target = INPUTS[case.get("target", target)]
    loss = case.get("loss", nn.functional.cross_entropy)(logits, target)
    loss.backward()
    seen |= {"pooled": pooled, "logits": logits, "loss": loss}
    if "io/embedding" in golden:
        seen["embedding"] = head[0](pooled)
    if "io/positions" in golden:
        embeddings = model.model.model.embeddings
        seen["positions"] = embeddings.position_embeddings
    if "io/logits_long" in golden:
        other, _, _ = build(name, INPUTS[f"{kind}_long"])
        seen["logits_long"] = head(other(INPUTS[f"{kind}_long"], lens))
    assert_close(seen, part(golden, "io/"))
    grads = {n: t.grad for n, t in model.named_tensors().items()}
    grads |= {f"head.{n}": t.grad for n, t in head.named_parameters()}
    assert_close(grads, part(golden, "grad/"))


def test_every_golden_file_has_a_case():
    files = {file.stem for file in GOLDEN.glob("*.safetensors")}
    assert files - NOT_MODELS == set(CASES)


@pytest.mark.parametrize("name", ["ordinary", "small"])
def test_pooling_equals_reference(name):
    golden = load_file(GOLDEN / "ipet_pooling.safetensors")
    hidden = golden[f"{name}/hidden"].requires_grad_()
    pooled = mean_std(hidden)
    (pooled * golden["weights"]).sum().backward()
    wanted = {k: golden[f"{name}/{k}"] for k in ("pooled", "grad")}
    assert_close({"pooled": pooled, "grad": hidden.grad}, wanted)


@pytest.mark.parametrize("name", ["constant_channel", "one_token"])
def test_pooling_is_finite_where_the_reference_is_not(name):
    golden = load_file(GOLDEN / "ipet_pooling.safetensors")
    hidden = golden[f"{name}/hidden"].requires_grad_()
    pooled = mean_std(hidden)
    pooled.sum().backward()
    assert pooled.isfinite().all() and hidden.grad.isfinite().all()
    want = golden[f"{name}/pooled"]
    known = want.isfinite() & (want != 0)
    assert_close({"pooled": pooled[known]}, {"pooled": want[known]})


W2V2 = {  # prompts, width of the adapters, trainable parameters of the method
    "ESC-50": (128, 128, 3_549_696),
    "FSD50K": (128, 64, 2_369_280),
    "Speech Commands": (64, 64, 1_779_456),
    "VoxCeleb1": (64, 128, 2_959_872),
}
AST_IPET = {
    "ESC-50": (4, 32, 636_288),
    "FSD50K": (32, 32, 894_336),
    "GTZAN": (8, 64, 1_263_360),
    "Speech Commands": (4, 128, 2_406_912),
    "VoxCeleb1": (4, 64, 1_226_496),
}


def ipet_at_base_size(backbone, n_prompts, width):
    """IPET as published, on a backbone of 12 layers of 768."""
    bottleneck = partial(Bottleneck, reduction_rate=768 / width)
    return PETLModel(
        backbone,
        {
            "layer": partial(PassingPrompts, n_prompts=n_prompts),
            "norm_before_ffn": Tap,
            "ffn": partial(ParallelOnInput, adapter=bottleneck, scale=0.1),
        },
    )


@pytest.fixture(scope="module")
def base():
    """Stock models of base size, without memory."""
    with torch.device("meta"):
        wav2vec2 = Wav2Vec2Model(Wav2Vec2Config())
        ast = ASTModel(ASTConfig())
    return {"wav2vec2": wav2vec2, "ast": ast}


@pytest.mark.parametrize(
    "family, corpus, row",
    [("wav2vec2", name, row) for name, row in W2V2.items()]
    + [("ast", name, row) for name, row in AST_IPET.items()],
)
def test_counts_of_ipet_are_the_published_ones(base, family, corpus, row):
    n_prompts, width, method = row
    model = ipet_at_base_size(base[family], n_prompts, width)
    assert model.count_parameters()["method"] == method


@pytest.mark.parametrize(
    "n_prompts, bound",
    [(4, 0.0395), (8, 0.0295), (32, 0.0154), (64, 0.0110), (128, 0.0078)],
)
def test_prompts_start_as_ipets_do(n_prompts, bound):
    prompts = PassingPrompts(nn.Linear(768, 768), n_prompts).prompts
    assert prompts.abs().max().item() == pytest.approx(bound, rel=0.05)


@pytest.mark.parametrize(
    "adapter, rate, roles, method",
    [
        (Bottleneck, 64, ["mhsa", "ffn"], 461_088),
        (Bottleneck, 96, ["mhsa", "ffn"], 313_536),
        (Bottleneck, 64, ["ffn"], 230_544),
        (Bottleneck, 96, ["ffn"], 156_768),
        (Conformer, 64, ["mhsa", "ffn"], 729_216),
        (Conformer, 96, ["mhsa", "ffn"], 504_576),
        (Conformer, 64, ["ffn"], 364_608),
        (Conformer, 96, ["ffn"], 252_288),
    ],
)
def test_counts_of_petl_ast_on_wav2vec2(base, adapter, rate, roles, method):
    wrapper = partial(Parallel, adapter=partial(adapter, reduction_rate=rate))
    model = PETLModel(base["wav2vec2"], dict.fromkeys(roles, wrapper))
    assert model.count_parameters()["method"] == method


def test_full_fine_tuning_of_the_last_three_layers():
    """PETL_AST's full-FT on wav2vec 2.0."""
    config = json.loads((GOLDEN / "backbone_group/config.json").read_text())
    model = Wav2Vec2Model(Wav2Vec2Config(**{**config, "num_hidden_layers": 5}))
    adapted = PETLModel(model, unfrozen=["layer[-3:]"])
    trained = {
        n for n, p in adapted.model.named_parameters() if p.requires_grad
    }
    assert trained == {
        name
        for name, _ in model.named_parameters()
        if name.startswith(tuple(f"encoder.layers.{n}." for n in (2, 3, 4)))
    }
