"""What holds for any folds, positions, insertions and artefacts."""

from functools import partial

import pytest
import torch
from hypothesis import (
    HealthCheck,
    given,
    settings,
    strategies as st,
)
from speechbrain_petl.dataio.few_shot import draw_few_shot
from speechbrain_petl.dataio.folds import choose_folds
from speechbrain_petl.dataio.norm_stats import running_moments
from speechbrain_petl.experiments.reporting.statistics import compare
from speechbrain_petl.lobes.adapters import Bottleneck, Convpass
from speechbrain_petl.lobes.ast import AST
from speechbrain_petl.lobes.ast_positions import resize_time
from speechbrain_petl.lobes.insertion import Parallel, Sequential
from speechbrain_petl.lobes.lora import LoRA
from speechbrain_petl.lobes.moa import SoftMoA
from speechbrain_petl.lobes.petl import PETLModel

folds = st.lists(st.integers(0, 12), max_size=12)


@given(
    st.integers(2, 12).flatmap(
        lambda n: st.tuples(st.integers(1, n), st.just(n))
    ),
    st.sampled_from(["rotate", "paper"]),
)
def test_any_rotation_shares_out_all_folds(case, protocol):
    test, n = case
    if protocol == "rotate" and n == 2:
        return  # nothing would be left to train on
    found = choose_folds(test, n, range(1, n + 1), protocol=protocol)
    everything = [fold for folds in found.values() for fold in folds]
    assert sorted(everything) == list(range(1, n + 1))
    assert found["test"] == [test]


@given(folds, folds, folds, st.sets(st.integers(1, 10)), st.integers(1, 10))
def test_any_lists_are_disjoint_or_refused(train, valid, test, available, n):
    try:
        found = choose_folds(1, n, available, train, valid, test)
    except ValueError:
        return
    everything = [fold for folds in found.values() for fold in folds]
    assert len(everything) == len(set(everything))
    assert set(everything) <= available and all(found.values())


@given(
    st.lists(st.sampled_from("abc"), min_size=1, max_size=60),
    st.integers(1, 8),
    st.integers(0, 2**32),
)
def test_any_draw_is_balanced_and_nested(labels, k, seed):
    entries = {f"c{i}": {"label": x} for i, x in enumerate(labels)}
    rarest = min(labels.count(x) for x in set(labels))
    if k > rarest:
        with pytest.raises(ValueError, match="entries"):
            draw_few_shot(entries, k, seed)
        return
    drawn = draw_few_shot(entries, k, seed)
    found = [entry["label"] for entry in drawn.values()]
    assert all(found.count(x) == k for x in set(labels))
    if k > 1:
        assert draw_few_shot(entries, k - 1, seed).keys() <= drawn.keys()


@given(st.integers(1, 40), st.integers(1, 40), st.integers(1, 4))
def test_any_positions_keep_their_frequencies(now, then, n_freq):
    grid = torch.arange(float(n_freq))[None, None, :, None].expand(
        1, 2, -1, now
    )
    resized = resize_time(grid, then)
    assert resized.shape == (1, 2, n_freq, then)
    torch.testing.assert_close(
        resized, grid[..., :1].expand(-1, -1, -1, then), msg="constant in time"
    )
    steps = torch.arange(float(now)).expand(1, 1, 1, now)
    order = resize_time(steps, then).flatten()
    assert (order.diff() >= 0).all(), "time does not run backwards"
    if then <= now:
        assert (order.diff() == 1).all(), "cut, not stretched"
        lost = now - then
        assert abs(order[0] - lost / 2) <= 1, "from the middle"


@given(
    st.lists(st.lists(st.floats(-1e3, 1e3), min_size=1), min_size=1, max_size=9)
)
def test_moments_do_not_depend_on_the_parts(parts):
    tensors = [torch.tensor(part, dtype=torch.float64) for part in parts]
    mean, std = running_moments(tensors)
    whole = torch.cat(tensors)
    assert mean == pytest.approx(whole.mean().item(), abs=1e-9)
    assert std == pytest.approx(whole.std(correction=0).item(), abs=1e-6)


ADAPTERS = {
    "bottleneck": partial(Bottleneck, reduction_rate=64),
    "convpass": partial(Convpass, reduction_rate=32),
    "mixture": partial(
        SoftMoA, expert=partial(Bottleneck, reduction_rate=64), n_experts=2
    ),
}
wrappers = st.builds(
    lambda way, adapter: partial(way, adapter=ADAPTERS[adapter]),
    st.sampled_from([Parallel, Sequential]),
    st.sampled_from(sorted(ADAPTERS)),
)
projections = st.dictionaries(
    st.sampled_from(["query", "key", "value", "output"]),
    st.just(partial(LoRA, reduction_rate=64)),
    max_size=3,
)
sublayers = st.dictionaries(
    st.sampled_from(["mhsa", "ffn", "mhsa[1:]", "ffn[0]"]), wrappers, max_size=3
)


@pytest.fixture(scope="module")
def backbone(tiny_folder):
    """The tiny AST, for short clips."""
    return AST(tiny_folder, max_length=48)


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
@given(
    projections,
    sublayers,
    st.sets(st.sampled_from(["norm_mhsa", "norm_ffn", "norm_final"])),
)
def test_any_insertions_begin_as_an_identity_and_round_trip(
    backbone, projections, sublayers, unfrozen
):
    feats = torch.randn(2, 48, 128, generator=torch.Generator().manual_seed(0))

    def make():
        """The model."""
        return PETLModel(backbone, {**projections, **sublayers}, unfrozen)

    model = make()
    with torch.no_grad():
        start = backbone(feats)
        torch.testing.assert_close(model(feats), start, atol=1e-5, rtol=1e-5)
        for tensor in model.delta().values():
            if tensor.is_floating_point():
                tensor.add_(torch.randn_like(tensor) * 0.05)
        moved = model(feats)
        other = make()
        other.load_delta({k: t.clone() for k, t in model.delta().items()})
        assert torch.equal(other.eval()(feats), model.eval()(feats))
        torch.testing.assert_close(backbone(feats), start, rtol=0, atol=0)
    counted = sum(model.count_parameters().values())
    assert counted == sum(
        p.numel() for p in model.parameters() if p.requires_grad
    )
    assert bool(counted) == bool(projections or sublayers or unfrozen)
    if counted:
        assert not torch.equal(moved, start)


@settings(max_examples=8, deadline=None)
@given(
    labels=st.lists(st.text(max_size=8), min_size=1, max_size=5, unique=True),
    yaml=st.sampled_from(["lora", "adapter_pf_seq", "conformer_pf_par", "dpt"]),
)
def test_any_artefact_round_trips(
    labels, yaml, make_artefact, tiny_folder, tmp_path_factory
):
    from speechbrain_petl.artefacts.open import Artefact

    folder = tmp_path_factory.mktemp("artefact") / "a"
    try:
        hparams, head = make_artefact(folder, yaml, labels)
    except ValueError:
        assert not folder.exists(), "refused: then nothing is left"
        return
    trained = Artefact.open(folder).load(AST(tiny_folder))
    assert trained.labels == labels
    delta, again = hparams["encoder"].delta(), trained.encoder.delta()
    assert delta.keys() == again.keys()
    assert all(torch.equal(delta[k], again[k]) for k in delta)
    assert torch.equal(head.weight, trained.classifier.weight)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=8))
def test_a_variant_does_not_differ_from_itself(accuracies):
    from pathlib import Path

    from speechbrain_petl.experiments.reporting.collect import Result

    cells = [
        Result(
            {"seed": 1, "fold": fold, "shots": None, "draw": 0},
            Path(),
            {"accuracy": accuracy},
            None,
            "finished",
        )
        for fold, accuracy in enumerate(accuracies)
    ]
    found = compare(cells, cells)
    assert (found.difference, found.permutation, found.t_test) == (0, 1, 1)
