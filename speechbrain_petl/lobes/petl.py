"""PETLModel: a frozen backbone with small trained modules at named sites."""

import copy
import fnmatch
from collections.abc import Callable, Iterable, Mapping
from itertools import chain

import torch
from safetensors.torch import load_file, save_file
from speechbrain_petl.lobes.checkpointing import Checkpointed
from speechbrain_petl.lobes.companions import check_companions
from speechbrain_petl.lobes.sites import (
    find_sites,
    select_sites,
    setattr_module,
)
from torch import nn

from speechbrain.utils.checkpoints import (
    mark_as_loader,
    mark_as_saver,
    mark_as_transfer,
    register_checkpoint_hooks,
)
from speechbrain.utils.distributed import main_process_only


@register_checkpoint_hooks
class PETLModel(nn.Module):
    """Wraps sites of a backbone and trains the wrappers only.

    The backbone is not touched: the model is a structural copy that shares
    every frozen tensor with it and owns every tensor that trains. Ten tasks
    on one backbone cost one backbone and ten deltas. (Shared tensors are
    marked as needing no gradient.)

    Arguments
    ---------
    backbone : torch.nn.Module
        A stock Hugging Face model, or a lobe such as ``AST`` that holds one.
    insertions : mapping, optional
        From a selector of sites (see ``sites.select_sites``) to a wrapper, or
        a list of wrappers from the inside out. A wrapper is anything that is
        called as ``wrapper(target_module)``, owns that module and calls it:
        the contract of ``speechbrain.nnet.adapters``.
    unfrozen : iterable of str
        Patterns (as of ``fnmatch``) over the names of the backbone's own
        parameters, ``<role>[.<layer>].<name>``; the name of a role alone
        stands for all its parameters. ``["*"]`` trains everything.
    gradient_checkpointing : bool
        Compute each layer's activations again in the backward pass instead of
        keeping them: less memory for more time, the same gradients.

    Raises
    ------
    ValueError
        If a role is unknown, a pattern matches nothing, a wrapper misses one
        that it needs (``check_companions``), or a delta does not fit.

    Example
    -------
    >>> from functools import partial
    >>> from transformers import ASTConfig, ASTModel
    >>> from speechbrain_petl.lobes.adapters import Bottleneck
    >>> from speechbrain_petl.lobes.insertion import Parallel
    >>> ast = ASTModel(ASTConfig(num_hidden_layers=2))
    >>> adapter = partial(
    ...     Parallel, adapter=partial(Bottleneck, reduction_rate=64)
    ... )
    >>> model = PETLModel(ast, {"ffn": adapter}, unfrozen=["norm_ffn"])
    >>> model.count_parameters()
    {'method': 38424, 'norm': 3072, 'norm_final': 0}
    >>> sorted(model.delta())[:2]
    ['ffn.0.adapter.down.bias', 'ffn.0.adapter.down.weight']
    """

    def __init__(
        self,
        backbone: nn.Module,
        insertions: Mapping[str, Callable | list[Callable]] | None = None,
        unfrozen: Iterable[str] = (),
        gradient_checkpointing: bool = False,
    ):
        super().__init__()
        stock = _own_tensors(find_sites(backbone))
        unfrozen = _match(stock, unfrozen)
        trained = {id(stock[name]) for name in unfrozen}
        shared = chain(backbone.parameters(), backbone.buffers())
        memo = {id(t): t for t in shared if id(t) not in trained}
        self.model = copy.deepcopy(backbone, memo)
        self._stock = list(self.model.modules())
        self._sites = find_sites(self.model)
        self._wrappers = []
        self.model.requires_grad_(False)
        tensors = _own_tensors(self._sites)
        for name in unfrozen:
            tensors[name].requires_grad_(True)
        insertions = list((insertions or {}).items())
        if gradient_checkpointing:
            insertions.append(("layer", Checkpointed))
        self._insert(insertions)
        self.train(self.training)

    def _insert(self, insertions):
        """Hangs the wrappers over their sites."""
        placed = {}
        for selector, wrappers in insertions:
            stack = wrappers if isinstance(wrappers, list) else [wrappers]
            for site in select_sites(self._sites, selector):
                device = next(site.module.parameters()).device
                here = placed.setdefault(site.key, [])
                for wrap in stack:
                    wrapper = wrap([site.module, *here][-1]).to(device)
                    name = f"{site.key}.{len(here)}" if here else site.key
                    self._wrappers.append((site.path, name, wrapper))
                    here.append(wrapper)
                    site.put(wrapper)
        check_companions(placed)
        # The innermost first: each names its own tensors, then what holds it.
        self._wrappers.sort(key=lambda w: w[0].count("."), reverse=True)

    def forward(self, *args, **kwargs):
        """Calls the backbone with its wrappers; its signature and result."""
        return self.model(*args, **kwargs)

    def train(self, mode: bool = True):
        """Sets the inserted modules' mode; the backbone stays in eval mode.

        ``Brain.fit`` calls ``train()`` on everything at every epoch; a frozen
        backbone must not start to drop out units because of it.
        """
        super().train(mode)
        for module in self._stock:
            module.training = False
        return self

    def named_tensors(self) -> dict[str, torch.Tensor]:
        """All tensors by role: ``norm_ffn.3.weight``, ``ffn.3.adapter.down.bias``."""
        seen = {id(t) for m in self._stock for t in _direct(m)}
        inserted = {}
        for _, name, wrapper in self._wrappers:
            for path, tensor in _tensors(wrapper):
                if id(tensor) not in seen:
                    seen.add(id(tensor))
                    inserted[f"{name}.{path}"] = tensor
        skip = {id(t) for t in inserted.values()}
        return inserted | _own_tensors(self._sites, skip)

    def delta(self) -> dict[str, torch.Tensor]:
        """What training changes: trained tensors and inserted buffers.

        The values are the live tensors, keyed by role and layer.
        """
        stock = {id(t) for m in self._stock for t in _direct(m)}
        return {
            name: tensor
            for name, tensor in self.named_tensors().items()
            if tensor.requires_grad or id(tensor) not in stock
        }

    @torch.no_grad()
    def load_delta(self, delta: Mapping[str, torch.Tensor]) -> None:
        """Copies a delta into the model; anything amiss raises, naming it.

        Arguments
        ---------
        delta : mapping of str to torch.Tensor
            As ``delta()`` gives it: exactly these names and shapes.
        """
        own = self.delta()
        problems = [f"missing '{name}'" for name in own.keys() - delta.keys()]
        problems += [f"unexpected '{n}'" for n in delta.keys() - own.keys()]
        problems += [
            f"'{n}' of shape {tuple(delta[n].shape)} instead of {tuple(own[n].shape)}"
            for n in own.keys() & delta.keys()
            if own[n].shape != delta[n].shape
        ]
        if problems:
            shown = "; ".join(sorted(problems)[:6])
            more = (
                f"; and {len(problems) - 6} more" if len(problems) > 6 else ""
            )
            raise ValueError(
                f"These trained tensors do not fit this model: {shown}{more}. "
                "Build the model with the method, backbone and options that "
                "they were trained with."
            )
        for name, tensor in own.items():
            tensor.copy_(delta[name])

    def count_parameters(self) -> dict[str, int]:
        """Trainable parameters: method, LayerNorms of the layers, final one."""
        counts = {"method": 0, "norm": 0, "norm_final": 0}
        for name, tensor in self.delta().items():
            if tensor.requires_grad:
                role = name.partition(".")[0]
                kind = "norm" if role in ("norm_mhsa", "norm_ffn") else role
                counts[kind if kind in counts else "method"] += tensor.numel()
        return counts

    def merge(self) -> nn.Module:
        """The backbone with all wrappers merged into it, as a new model.

        An explicit call, never hidden in ``train()`` or ``eval()``. What is
        frozen stays shared; this model itself is not changed.

        Raises
        ------
        ValueError
            If a wrapper has no ``merge()``, naming it.
        """
        for _, name, wrapper in self._wrappers:
            if not hasattr(wrapper, "merge"):
                raise ValueError(
                    f"{type(wrapper).__name__} at '{name}' cannot be merged "
                    "into the backbone: it has no merge()."
                )
        own = {id(t) for t in self.delta().values()}
        tensors = chain(self.parameters(), self.buffers())
        merged = copy.deepcopy(
            self, {id(t): t for t in tensors if id(t) not in own}
        )
        for _, _, wrapper in merged._wrappers:
            for parent in list(merged.model.modules()):
                for name, child in parent.named_children():
                    if child is wrapper:
                        setattr_module(parent, name, wrapper.merge())
        return merged.model.requires_grad_(False)

    @mark_as_saver
    @main_process_only
    def save(self, path) -> None:
        """Checkpoint hook: writes the delta, never the backbone."""
        tensors = {
            n: t.detach().cpu().contiguous() for n, t in self.delta().items()
        }
        save_file(tensors, path)

    @mark_as_loader
    def recover(self, path, end_of_epoch=True) -> None:
        """Checkpoint hook: loads a delta, strictly."""
        del end_of_epoch
        self.load_delta(load_file(path))

    @mark_as_transfer
    def transfer(self, path) -> None:
        """Hook of SpeechBrain's ``Pretrainer``: loads a delta, strictly."""
        self.load_delta(load_file(path))


def _direct(module):
    """The parameters and buffers that hang on a module itself."""
    return chain(
        module.parameters(recurse=False), module.buffers(recurse=False)
    )


def _tensors(module):
    """Names and tensors, as far as they are saved, of a module and below."""
    return module.state_dict(keep_vars=True).items()


def _own_tensors(sites, skip=frozenset()):
    """The backbone's tensors by role, each under its innermost site."""
    named, seen = {}, set(skip)
    for site in reversed(sites):
        for path, tensor in _tensors(site.module):
            if id(tensor) not in seen:
                seen.add(id(tensor))
                named[f"{site.key}.{path}"] = tensor
    return named


def _match(names, patterns):
    """Names of parameters that a pattern matches; a pattern without a match raises."""
    if isinstance(patterns, str):
        raise ValueError(f"'unfrozen' is a list; write [{patterns}].")
    names = [n for n, t in names.items() if isinstance(t, nn.Parameter)]
    matched = {}
    for pattern in patterns:
        hits = [
            name
            for name in names
            if fnmatch.fnmatchcase(name, pattern)
            or name.startswith(f"{pattern}.")
        ]
        if not hits:
            roles = sorted({name.partition(".")[0] for name in names})
            raise ValueError(
                f"unfrozen: '{pattern}' matches no parameter of the backbone; "
                f"names look like '{names[0]}' and the roles are "
                f"{', '.join(roles)}."
            )
        matched.update(dict.fromkeys(hits))
    return matched
