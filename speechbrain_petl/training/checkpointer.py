"""WholeCheckpointer: a checkpoint is there whole, or it is not there."""

import shutil

from speechbrain.utils.checkpoints import Checkpointer
from speechbrain.utils.distributed import ddp_barrier, run_on_main

PARTIAL = "PARTIAL-"


class WholeCheckpointer(Checkpointer):
    """SpeechBrain's ``Checkpointer`` that a kill in mid-save cannot harm.

    That one writes the file by which it knows a checkpoint before all others,
    so that a run killed in between finds a broken one and stops. Here a
    checkpoint is written under another name and renamed when it is whole.

    Arguments
    ---------
    See ``speechbrain.utils.checkpoints.Checkpointer``.

    Example
    -------
    >>> import torch
    >>> folder = getfixture("tmp_path")
    >>> checkpointer = WholeCheckpointer(folder, {"m": torch.nn.Linear(1, 1)})
    >>> checkpoint = checkpointer.save_checkpoint()
    >>> checkpoint.path.name.startswith("CKPT+"), checkpoint.path.is_dir()
    (True, True)
    """

    def save_checkpoint(self, *args, **kwargs):
        """As there, on every process; gives the checkpoint, whole."""
        run_on_main(self._remove_partial)
        checkpoint = super().save_checkpoint(*args, **kwargs)
        if checkpoint is not None:
            whole = checkpoint.path.with_name(
                checkpoint.path.name.removeprefix(PARTIAL)
            )
            checkpoint.path.rename(whole)
            checkpoint = checkpoint._replace(
                path=whole,
                paramfiles={
                    name: whole / file.name
                    for name, file in checkpoint.paramfiles.items()
                },
            )
        ddp_barrier()
        return checkpoint

    def save_and_keep_only(self, *args, importance_keys=(), **kwargs):
        """As there, whose calls without ``importance_keys`` share one list.

        It adds recency to that list, so that one call with ``keep_recent``
        changes what all later calls of the process keep.
        """
        super().save_and_keep_only(
            *args, importance_keys=list(importance_keys), **kwargs
        )

    def _remove_partial(self):
        """Removes what a killed run left."""
        for folder in self.checkpoints_dir.glob(f"{PARTIAL}*"):
            shutil.rmtree(folder)

    def _new_checkpoint_dirpath(self):
        path = super()._new_checkpoint_dirpath()
        return path.with_name(PARTIAL + path.name)

    def _custom_checkpoint_dirpath(self, name):
        path = super()._custom_checkpoint_dirpath(name)
        return path.with_name(PARTIAL + path.name)
