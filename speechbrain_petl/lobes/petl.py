"""PETLModel: a frozen backbone with small trained modules at named sites."""

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from speechbrain_petl.lobes.checkpointing import Checkpointed
from speechbrain_petl.lobes.layer_states import make_learner, readers, states_of
from speechbrain_petl.lobes.naming import (
    Tensors,
    check_same,
    match,
    saved_tensors,
    stock_tensors,
)
from speechbrain_petl.lobes.patchout import Patchout
from speechbrain_petl.lobes.placing import place
from speechbrain_petl.lobes.refusals import refuse_head, refuse_no_grad
from speechbrain_petl.lobes.rewiring import rewire, undo
from speechbrain_petl.lobes.selectors import first_of, layer_of
from speechbrain_petl.lobes.share import (
    direct_tensors,
    own_before_loading,
    share,
)
from speechbrain_petl.lobes.sites import (
    copy_info,
    find_backbone,
    find_sites,
    setattr_module,
)
from speechbrain_petl.lobes.wrapper import innermost
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
    every frozen tensor with it and owns every tensor that trains (see
    ``share``). Ten tasks on one backbone cost one backbone and ten deltas.

    Arguments
    ---------
    backbone : torch.nn.Module
        A stock Hugging Face model, or a lobe such as ``AST`` that holds one;
        without a head.
    insertions : mapping, optional
        From a selector of sites (see ``select_sites``) to a wrapper, or a
        list of wrappers from the inside out. A wrapper is anything that is
        called as ``wrapper(target_module)``, owns that module and calls it
        (see ``Wrapper``).
    unfrozen : iterable of str
        Selectors of sites, which stand for all parameters inside, such as
        ``norm_ffn`` or ``layer[-3:]``; or patterns (as of ``fnmatch``) over
        the names ``<role>[.<layer>].<name>``. ``["*"]`` trains everything.
    gradient_checkpointing : bool
        If True, computes each layer's activations again in the backward pass
        instead of keeping them: less memory for more time, the same gradients.
    frozen_in_train_mode : bool
        If True, ``train()`` reaches the backbone too, whose dropout and time
        masking are then active, as when the authors of IPET and of PETL_AST
        trained. By default it stays in eval mode.
    patchout : mapping of str to float, optional
        Arguments of ``Patchout``: which shares of an AST's patches are left
        out in training. All 0 is none of it.
    learner : callable, optional
        Makes what reads the states of all layers in place of the last one's
        (see ``Learner``); its tensors are named ``learner.<name>``.
    first_layer : int
        The first layer in which anything is inserted or unfrozen; negative
        numbers count from the last one. What is in no layer is not concerned.

    Raises
    ------
    ValueError
        If a role is unknown, a pattern matches nothing, the backbone has a
        head, a wrapper misses one that it needs (``check_companions``) or
        changes the backbone's own tensors, or a delta does not fit.

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
        frozen_in_train_mode: bool = False,
        patchout: Mapping[str, Any] | None = None,
        learner: Callable | None = None,
        first_layer: int = 0,
    ):
        super().__init__()
        found = find_backbone(backbone)
        refuse_head(backbone, found)
        refuse_no_grad(backbone, found)
        self.model: Any = share(backbone)
        self.model.requires_grad_(False)
        self.frozen_in_train_mode = frozen_in_train_mode
        self._rewired = rewire(find_backbone(self.model))
        self.stock_modules = list(self.model.modules())
        self._path = found.path
        self.sites = find_sites(self.model)
        stock = self._by_role()
        first = first_of(first_layer, self.sites)
        names = [
            name
            for name in match(stock, unfrozen, self.sites)
            if (layer := layer_of(name)) is None or layer >= first
        ]
        for name in names:
            stock[name].data = stock[name].data.clone()
        wanted = list((insertions or {}).items())
        if patchout and any(patchout.values()):
            wanted.append(("tokens", partial(Patchout, **patchout)))
        around: list[tuple[str, Callable]] = []
        if gradient_checkpointing:
            around.append(("layer", Checkpointed))
        if learner is not None:
            around += readers(self.model, self.sites, names)
        self.placed = place(self.sites, wanted, first, around)
        inside = [*names, *(one.name for one in self.placed if wanted)]
        if first and all(layer_of(name) is None for name in inside):
            raise ValueError(
                f"first_layer is {first_layer}, but nothing that is inserted "
                "or unfrozen lies in a layer from there on: leave it at 0."
            )
        for name, tensor in stock.items():
            if tensor.requires_grad and name not in names:
                raise ValueError(
                    f"A wrapper makes '{name}' of the backbone trainable, "
                    "which other models share: name it under 'unfrozen'."
                )
        for name in names:
            stock[name].requires_grad_(True)
        lobe: Any = self.model
        self.learner: Any = learner and make_learner(learner, lobe, self.sites)
        own_before_loading(self)
        self.train(self.training)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Calls the backbone with its wrappers; its signature and result."""
        if self.learner is None:
            return self.model(*args, **kwargs)
        return self.embed(self.layer_states(*args, **kwargs))

    def layer_states(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        """Computes what the learner reads of all layers, [B, S, T, d]."""
        lobe, learner = self.model, self.learner
        states = states_of(lobe.tokens(*args, **kwargs), learner.n_states)
        return learner.prepare(states, lobe.pool)

    def embed(self, states: torch.Tensor) -> torch.Tensor:
        """Computes the learner's embeddings of states [B, S, T, d]."""
        return self.learner.embed(states, self.model.pool)

    @property
    def embedding_size(self) -> int:
        """Size of the embeddings, of a backbone that is a lobe."""
        return (self.learner or self.model).embedding_size

    def train(self, mode: bool = True) -> "PETLModel":
        """Sets the inserted modules' mode; the backbone stays in eval mode.

        ``Brain.fit`` calls ``train()`` on everything at every epoch; a frozen
        backbone must not start to drop out units because of it, unless
        ``frozen_in_train_mode`` asks for that.
        """
        super().train(mode)
        for module in self.stock_modules:
            module.training = mode and self.frozen_in_train_mode
        return self

    def named_tensors(self) -> Tensors:
        """Returns all tensors by role, such as ``ffn.3.adapter.down.bias``."""
        seen = {id(t) for m in self.stock_modules for t in direct_tensors(m)}
        inserted: Tensors = {}
        parts = [(name, wrapper) for _, name, wrapper in self.placed]
        if self.learner is not None:
            parts.append(("learner", self.learner))
        for name, part in parts:
            for path, tensor in saved_tensors(part).items():
                if id(tensor) not in seen:
                    seen.add(id(tensor))
                    inserted[f"{name}.{path}"] = tensor
        return inserted | self._by_role(skip=inserted.values())

    def _by_role(self, skip: Iterable[torch.Tensor] = ()) -> Tensors:
        """Returns the backbone's own tensors by role."""
        backbone = self.model.get_submodule(self._path)
        return stock_tensors(self.sites, backbone, skip)

    def delta(self) -> Tensors:
        """Returns what training changes: trained tensors, inserted buffers.

        The values are the live tensors, keyed by role and layer. What a
        wrapper keeps for itself, frozen or not, belongs to it.
        """
        stock = {id(t) for m in self.stock_modules for t in direct_tensors(m)}
        return {
            name: tensor
            for name, tensor in self.named_tensors().items()
            if tensor.requires_grad or id(tensor) not in stock
        }

    @torch.no_grad()
    def load_delta(self, delta: Mapping[str, torch.Tensor]) -> None:
        """Copies a delta into the model, strictly.

        Arguments
        ---------
        delta : mapping of str to torch.Tensor
            Tensors as ``delta()`` gives them: exactly these names and shapes.

        Raises
        ------
        ValueError
            If a tensor is missing, unexpected or of another shape; nothing is
            copied then.
        """
        own = self.delta()
        check_same(own, delta)
        for name, tensor in own.items():
            tensor.copy_(delta[name])

    def count_parameters(self) -> dict[str, int]:
        """Counts what trains: method, LayerNorms of the layers, final one."""
        counts = {"method": 0, "norm": 0, "norm_final": 0}
        for name, tensor in self.delta().items():
            if tensor.requires_grad:
                role = name.partition(".")[0]
                kind = "norm" if role in ("norm_mhsa", "norm_ffn") else role
                counts[kind if kind in counts else "method"] += tensor.numel()
        return counts

    def merge(self) -> nn.Module:
        """Returns the backbone with all wrappers merged into it.

        An explicit call, never hidden in ``train()`` or ``eval()``. The
        result is a new model that shares its frozen tensors (see ``share``).

        Raises
        ------
        ValueError
            If a wrapper has no ``merge()``, naming it, or there is a learner.
        """
        if self.learner is not None:
            raise ValueError(
                f"{type(self.learner).__name__} cannot be merged into the "
                "backbone: it reads all of its layers."
            )
        for _, name, wrapper in self.placed:
            if not hasattr(wrapper, "merge"):
                raise ValueError(
                    f"{type(wrapper).__name__} at '{name}' cannot be merged "
                    "into the backbone: it has no merge()."
                )
        merged = share(self, own=self.delta().values())
        for _, _, wrapper in merged.placed:
            plain: Any = wrapper
            for parent in list(merged.model.modules()):
                for name, child in parent.named_children():
                    if child is wrapper:
                        folded = plain.merge()
                        # Wrappers around it still ask where they are.
                        copy_info(innermost(wrapper), folded)
                        setattr_module(parent, name, folded)
        if self._rewired:
            undo(find_backbone(merged.model))
        own_before_loading(merged.model)
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
    def recover(self, path, end_of_epoch: bool = True) -> None:
        """Checkpoint hook: loads a delta, strictly."""
        del end_of_epoch
        self.load_delta(load_file(path))

    @mark_as_transfer
    def transfer(self, path) -> None:
        """Hook of SpeechBrain's ``Pretrainer``: loads a delta, strictly."""
        self.load_delta(load_file(path))
