"""StoringBrain: what is frozen runs once a clip, if the recipe says so."""

import logging
from typing import Any

from speechbrain_petl.lobes.patchout import leaves_out
from speechbrain_petl.lobes.split_encoder import SplitEncoder
from speechbrain_petl.training.stored_dataset import StoredDataset
from speechbrain_petl.training.stored_options import Options
from speechbrain_petl.training.stored_states import StateStore
from speechbrain_petl.training.task import TaskBrain
from torch import nn

import speechbrain as sb
from speechbrain.dataio.dataset import DynamicItemDataset

logger = logging.getLogger(__name__)


class StoringBrain(TaskBrain):
    """A ``Brain`` whose batches may hold states in place of waveforms.

    With ``stored_states``, the encoder is split at its cut (see ``SplitEncoder``). ``compute_forward`` then finds
    ``batch.states`` in the stages that are in ``stored``, and calls
    ``encoder(states, stored=True)``.

    Arguments
    ---------
    modules : dict of str to torch.nn.Module
        ``compute_features``, ``augment`` and ``encoder``.
    hparams : dict
        ``backbone`` and ``data_folder``, where states are stored.
    stored_states : str, optional
        ``fp32`` or ``bf16``: the precision in which states are stored.
    stored_draws : int, optional
        Augmented versions of each training clip to store.
    states_gb : float
        Size limit of the cache of states, for all runs.
    **kwargs : dict
        Other arguments of ``speechbrain.core.Brain``.

    Raises
    ------
    ValueError
        If a value is none, or the model has nothing to store.
    """

    #: Stages whose clips' states can be stored.
    storable = frozenset(sb.Stage)

    def __init__(
        self,
        modules: dict[str, nn.Module],
        hparams: dict[str, Any],
        stored_states: str | None = None,
        stored_draws: int | None = None,
        states_gb: float = 0.0,
        **kwargs: Any,
    ):
        options = Options.of(stored_states, stored_draws, states_gb)
        if options.precision is not None:
            modules = {**modules, "encoder": SplitEncoder(modules["encoder"])}
        super().__init__(modules=modules, hparams=hparams, **kwargs)
        #: Stages whose batches hold ``states`` in place of ``sig``.
        self.stored: set[sb.Stage] = set()
        self.store: StateStore | None = None
        self._training_states: StoredDataset | None = None
        if options.precision is not None:
            self.store = StateStore(
                options,
                self.modules.encoder,
                self.modules.compute_features,
                self.modules.augment,
                hparams["backbone"],
                hparams["data_folder"],
                self.device,
            )

    def store_states(
        self, dataset: Any, loader_kwargs: dict[str, Any], stage: sb.Stage
    ) -> tuple[Any, dict[str, Any]]:
        """Runs the frozen part over the clips of a stage, once for all runs.

        Arguments
        ---------
        dataset : object
            The stage's data; only a ``DynamicItemDataset`` is replaced.
        loader_kwargs : dict
            Arguments of its loader.
        stage : speechbrain.Stage
            The stage.

        Returns
        -------
        dataset : object
            Gives ``states`` in place of ``sig``, if ``stage`` is in
            ``stored`` now.
        loader_kwargs : dict
            Arguments of its loader.
        """
        if (
            self.store is None
            or stage not in self.storable
            or not isinstance(dataset, DynamicItemDataset)
        ):
            return dataset, loader_kwargs
        training = stage == sb.Stage.TRAIN
        if training and (self.alters_clips() or leaves_out(self.store.encoder)):
            logger.warning(
                "Training clips are altered before the front end, or some of "
                "their patches are left out, and they are not stored."
            )
            return dataset, loader_kwargs
        context = self.training_ctx if training else self.evaluation_ctx
        precision = self.precision if training else self.eval_precision
        found = self.store.replace(
            dataset, loader_kwargs, context, precision, training
        )
        if found is None:
            logger.warning(
                "%s clips are augmented or cut at random, and not stored%s.",
                stage.name.capitalize(),
                ": give stored_draws for a number of versions of each"
                if training
                else "",
            )
            return dataset, loader_kwargs
        self.stored.add(stage)
        if training:
            self._training_states = found[0]
        return found

    def alters_clips(self) -> bool:
        """Returns True if ``compute_forward`` alters waveforms in training.

        A recipe that does so says so here, since what it stores would be the
        states of other clips.
        """
        return False

    def evaluate(
        self,
        test_set: Any,
        max_key: str | None = None,
        min_key: str | None = None,
        progressbar: bool | None = None,
        test_loader_kwargs: dict[str, Any] | None = None,
    ) -> float:
        """Like ``Brain.evaluate``, on stored states where there are any."""
        test_set, kwargs = self.store_states(
            test_set, dict(test_loader_kwargs or {}), sb.Stage.TEST
        )
        return super().evaluate(test_set, max_key, min_key, progressbar, kwargs)

    def on_stage_start(self, stage: sb.Stage, epoch: int | None = None) -> None:
        """Takes the next of several stored versions of each clip."""
        super().on_stage_start(stage, epoch)
        if stage == sb.Stage.TRAIN and self._training_states is not None:
            self._training_states.epoch = epoch
