"""Every method on every family of backbones, tiny and random."""

import copy
import importlib.util
import json
import re
from pathlib import Path

import pytest
import torch
from speechbrain_petl.lobes.petl import PETLModel
from torch import nn

ROOT = Path(__file__).parents[2]
SPEC = importlib.util.spec_from_file_location(
    "backbone_matrix", ROOT / "tools" / "backbone_matrix.py"
)
matrix = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(matrix)
# Softmax does not see a shift by a key's bias, nor BatchNorm one by the bias
# of the convolution before it.
NO_EFFECT = re.compile(r"key\.\d+\.bias|.*\.depthwise\.bias")
NOT_IDENTITY = {"spt", "dpt", "prefix", "ipet"}
MERGE = {"linear", "bitfit", "lora", "lora_qkvo", "lora, ffn"}
MERGE |= {"full_ft", "full_ft, last layers", "ssf", "rep_adapter"}
# Their attention reads what goes into it once more, for the gates of its bias.
NO_MERGE = {("WavLM", "rep_adapter"), ("WavLM, large", "rep_adapter")}


@pytest.fixture(scope="module")
def backbones(tmp_path_factory):
    """``backbones(family)``: its tiny backbone, made once."""
    folder = tmp_path_factory.mktemp("families")
    made = {}

    def get(family):
        if family not in made:
            made[family] = matrix.make_tiny(family, folder / family)
        return made[family]

    return get


@pytest.fixture(params=matrix.FAMILIES)
def family(request):
    """The name of each family."""
    return request.param


@pytest.fixture
def backbone(family, backbones):
    """A tiny backbone of each family."""
    return backbones(family)


@pytest.fixture(params=[m for m in matrix.METHODS if m != "input_prompt"])
def method(request):
    """The name of each method that all families take."""
    return request.param


def batch(backbone, seed=0):
    """Inputs of two clips."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(2, *backbone.input_shape, generator=generator)


def loss_of(model, x):
    """A loss that no output of the model leaves out."""
    torch.manual_seed(1)  # dropout
    y = model(x)
    return (y * torch.linspace(-1, 1, y.numel()).view_as(y)).mean()


def trained(model):
    """What trains, by name."""
    return {n: t for n, t in model.delta().items() if t.requires_grad}


def update(model, x):
    """Takes two steps, so that zero-initialized tensors move."""
    if not trained(model):
        return
    optimizer = torch.optim.Adam(trained(model).values(), lr=0.01)
    for _ in range(2):
        optimizer.zero_grad()
        loss_of(model, x).backward()
        optimizer.step()
    optimizer.zero_grad()
    loss_of(model, x).backward()


def test_method_on_family(family, backbone, method):
    options = matrix.METHODS[method]
    x = batch(backbone)
    stock = copy.deepcopy(backbone.state_dict())
    expected = backbone(x).detach()
    model = PETLModel(backbone, **options).train()
    assert not any(module.training for module in model.stock_modules)

    # Step 0 is the frozen backbone, unless the method says otherwise.
    same = torch.allclose(model.eval()(x), expected, atol=1e-5)
    assert same == (method not in NOT_IDENTITY)

    # What trains moves, by a gradient; the rest, and the backbone, stay.
    model.train()
    before = {n: t.clone() for n, t in model.named_tensors().items()}
    update(model, x)
    for name, tensor in model.named_tensors().items():
        if tensor.requires_grad:
            assert tensor.grad is not None, f"{name} gets no gradient"
            if not NO_EFFECT.fullmatch(name):
                assert tensor.grad.any(), f"{name} gets a zero gradient"
                assert not torch.equal(tensor, before[name]), name
        elif name not in model.delta():
            assert torch.equal(tensor, before[name]), name
    for name, tensor in backbone.state_dict().items():
        assert torch.equal(tensor, stock[name]), name

    # The delta round-trips into another model, checkpointed layers and all.
    model.eval()
    output = model(x)
    other = PETLModel(backbone, **options, gradient_checkpointing=True).eval()
    other.load_delta(model.delta())
    assert torch.equal(other(x), output)
    if trained(model):
        model.zero_grad(), loss_of(model, x).backward()
        loss_of(other, x).backward()
        for name, tensor in trained(other).items():
            torch.testing.assert_close(
                tensor.grad, trained(model)[name].grad, rtol=1e-4, atol=1e-5
            )

    # A clip's result does not depend on the others.
    alone = torch.cat([model(clip[None]) for clip in x])
    torch.testing.assert_close(alone, output, rtol=1e-4, atol=1e-5)

    if method in MERGE and (family, method) not in NO_MERGE:
        torch.testing.assert_close(
            model.merge()(x), output, rtol=1e-4, atol=1e-5
        )
    else:
        with pytest.raises(ValueError, match="cannot be merged"):
            model.merge()


def test_the_page_has_the_matrix(backbones):
    """What works and what is refused is what docs/BACKBONES.md says."""
    text = matrix.PAGE.read_text(encoding="utf-8")
    page = text.split(matrix.BEGIN)[1].split(matrix.END)[0]
    assert page == matrix.draw(matrix.try_all(backbones)), (
        "run tools/backbone_matrix.py"
    )


def ranks(rank, folder, sources):
    """One of two gloo ranks: its clip's gradients, averaged with the other's."""
    torch.set_num_threads(1)
    torch.distributed.init_process_group(
        "gloo", f"file://{folder / 'meet'}", rank=rank, world_size=2
    )
    report = {}
    for family, source in sources.items():
        backbone = matrix.load_backbone(source, max_length=matrix.FRAMES)
        x = batch(backbone)
        for method in ("ipet", "adapter_hou_par", "full_ft"):
            model = PETLModel(backbone, **matrix.METHODS[method]).eval()
            update(model, x)
            expected = {n: t.grad.clone() for n, t in trained(model).items()}
            model.zero_grad()
            parallel = nn.parallel.DistributedDataParallel(model)
            # A clip's share of the loss, which is a mean over both.
            y = parallel(x[rank : rank + 1])
            weights = torch.linspace(-1, 1, 2 * y.numel()).view(2, -1)
            (y * weights[rank]).mean().backward()
            report[f"{family} {method}"] = max(
                (t.grad - expected[n]).abs().max().item()
                for n, t in trained(model).items()
            )
    if rank == 0:
        (folder / "report.json").write_text(json.dumps(report))
    torch.distributed.destroy_process_group()


@pytest.mark.slow
def test_two_ranks_train_as_one(family_source, tmp_path):
    sources = {family: family_source(family) for family in matrix.FAMILIES}
    torch.multiprocessing.spawn(ranks, (tmp_path, sources), nprocs=2)
    report = json.loads((tmp_path / "report.json").read_text())
    assert len(report) == 3 * len(matrix.FAMILIES)
    for name, difference in report.items():
        assert difference < 1e-4, name


def test_every_parameter_lies_in_a_site(backbone):
    model = PETLModel(backbone)
    inside = {id(p) for site in model.sites for p in site.module.parameters()}
    assert inside == {id(p) for p in model.parameters()}


def test_widths_and_special_tokens_come_from_the_table(backbone):
    info = {site.role: site.info for site in PETLModel(backbone).sites}
    for role in ("tokens", "layer", "mhsa", "query", "output", "ffn", "ffn_up"):
        assert info[role].width == 24, role
    assert info["ffn_down"].width == 32
    special = 2 if backbone.config.model_type.startswith("audio") else 0
    assert info["tokens"].n_special == backbone.n_special == special


def test_padding_changes_no_result(backbone):
    """Through the front end: two clips in a padded batch, and each alone."""
    front_end = backbone.front_end()
    wavs = torch.randn(2, 6000) * 0.1
    wavs[1, 2500:] = 0
    together = backbone(front_end(wavs, torch.tensor([1.0, 2500 / 6000])))
    for row, n_samples in enumerate((6000, 2500)):
        alone = backbone(front_end(wavs[row : row + 1, :n_samples]))
        torch.testing.assert_close(
            together[row : row + 1], alone, rtol=1e-4, atol=1e-5
        )


def test_identity_is_one_thing_at_all_clip_lengths(backbone):
    fields, tensors = backbone.identity()
    fitted = backbone.refit(max_length=20).identity()
    assert fitted.fields == fields and fields["model_type"]
    assert fitted.tensors.keys() == tensors.keys()
    for name, tensor in tensors.items():
        assert torch.equal(fitted.tensors[name], tensor), name


@pytest.mark.parametrize(
    "family", ["wav2vec 2.0", "WavLM", "Whisper's encoder"]
)
@pytest.mark.parametrize("name", ["lora_qkvo", "ipet"])
@pytest.mark.traced
def test_compiles_into_one_graph(backbones, family, name):
    backbone = backbones(family)
    model = PETLModel(backbone, **matrix.METHODS[name]).eval()
    x = batch(backbone)
    compiled = torch.compile(model, backend="aot_eager", fullgraph=True)
    torch.testing.assert_close(compiled(x), model(x), rtol=1e-4, atol=1e-5)
    torch._dynamo.reset()


def test_bf16_autocast(backbone):
    model = PETLModel(backbone, **matrix.METHODS["ipet"]).eval()
    exact = model(batch(backbone))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        rough = model(batch(backbone)).float()
    assert (rough - exact).norm() <= 0.05 * exact.norm()


@pytest.mark.parametrize("kind", ["ViT", "DeiT"])
def test_stock_models_of_images_have_sites_too(kind):
    """They have no lobe, but a row: AST is one of them."""
    import transformers

    options = {**matrix.SIZE, "image_size": 16, "patch_size": 8}
    config = getattr(transformers, f"{kind}Config")(**options)
    stock = getattr(transformers, f"{kind}Model")(
        config, add_pooling_layer=False
    ).eval()
    x = torch.randn(2, 3, 16, 16)
    for name in ("lora_qkvo", "adapter_hou_par", "ipet", "prefix", "dpt"):
        model = PETLModel(stock, **matrix.METHODS[name]).eval()
        output = model(x).last_hidden_state
        output.square().sum().backward()
        assert all(t.grad is not None for t in trained(model).values())
        if name not in NOT_IDENTITY:
            assert torch.equal(output, stock(x).last_hidden_state)


def test_weight_normed_convolution_is_shared(backbones):
    """Its parametrization survives ``share``, and trains with everything."""
    backbone = backbones("wav2vec 2.0")
    frozen = PETLModel(backbone).model.model.encoder.pos_conv_embed.conv
    conv = backbone.model.encoder.pos_conv_embed.conv
    names = ("original0", "original1")
    for name in names:
        ours = getattr(frozen.parametrizations.weight, name)
        theirs = getattr(conv.parametrizations.weight, name)
        assert ours.data_ptr() == theirs.data_ptr()
        assert ours is not theirs
    full = PETLModel(backbone, unfrozen=["positions"])
    assert {n for n in full.delta()} == {
        "positions.conv.bias",
        *(f"positions.conv.parametrizations.weight.{n}" for n in names),
    }
    with torch.no_grad():
        full.delta()["positions.conv.bias"].add_(1)
    x = batch(backbone)
    assert not torch.equal(full(x), backbone(x))
    assert torch.equal(PETLModel(backbone)(x), backbone(x))


def test_nothing_trains_that_gets_no_gradient(backbones):
    """The vector of wav2vec's time masking is no parameter here."""
    names = dict(backbones("wav2vec 2.0").named_parameters())
    assert not any("masked_spec_embed" in name for name in names)
    assert isinstance(backbones("wav2vec 2.0").model, nn.Module)
