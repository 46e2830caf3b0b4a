"""BatchNorm for adapters: across processes on any device, and for one value."""

import torch
from torch import distributed, nn


def several_processes() -> bool:
    """Returns True if the training runs in more than one process."""
    ready = distributed.is_available() and distributed.is_initialized()
    return ready and distributed.get_world_size() > 1


class BatchNorm(nn.Module):
    """Batch normalization of [B, C, T] over clips and tokens.

    Computes what ``torch.nn.BatchNorm1d`` computes and saves the same
    tensors, and differs from it in two cases.

    In several processes, the statistics of a training batch are those of all
    of them. PyTorch's ``SyncBatchNorm`` works on GPUs only and refuses a CPU;
    it would replace any subclass of ``BatchNorm1d``, which this therefore is
    not.

    A training batch of one value a channel (one clip and one token) has no
    variance: it is normalized by the running statistics, which stay as they
    are. ``BatchNorm1d`` raises an error.

    Arguments
    ---------
    channels : int
        Number C of channels.
    eps : float
        Value added to the variance.
    momentum : float
        Weight of a new batch in the running statistics.

    Example
    -------
    >>> norm = BatchNorm(6)
    >>> norm(torch.rand(2, 6, 10)).shape, norm(torch.rand(1, 6, 1)).shape
    (torch.Size([2, 6, 10]), torch.Size([1, 6, 1]))
    """

    running_mean: torch.Tensor
    running_var: torch.Tensor
    num_batches_tracked: torch.Tensor

    def __init__(self, channels: int, eps: float = 1e-5, momentum: float = 0.1):
        super().__init__()
        self.eps = eps
        self.momentum = momentum
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))
        self.register_buffer("num_batches_tracked", torch.tensor(0))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Normalizes [B, C, T]."""
        together = self.training and several_processes()
        one_value = x.shape[0] * x.shape[2] == 1
        if together:
            return self.across_processes(x)
        training = self.training and not one_value
        if training:
            self.num_batches_tracked.add_(1)
        return nn.functional.batch_norm(
            x,
            self.running_mean,
            self.running_var,
            self.weight,
            self.bias,
            training,
            self.momentum,
            self.eps,
        )

    def across_processes(self, x: torch.Tensor) -> torch.Tensor:
        """Normalizes [B, C, T] by the statistics of all processes.

        Their batches may differ in size. Computed in float32 under autocast.
        """
        # Not there in builds of torch without distributed.
        from torch.distributed.nn.functional import all_reduce

        with torch.autocast(x.device.type, enabled=False):
            values = x.float()
            count = values.new_tensor(x.shape[0] * x.shape[2])
            distributed.all_reduce(count)
            mean = all_reduce(values.sum(dim=(0, 2))) / count
            centered = values - mean[:, None]
            var = all_reduce(centered.square().sum(dim=(0, 2))) / count
            with torch.no_grad():
                unbiased = var * count / (count - 1)
                self.running_mean.lerp_(mean, self.momentum)
                self.running_var.lerp_(unbiased, self.momentum)
                self.num_batches_tracked.add_(1)
            scale = self.weight * (var + self.eps).rsqrt()
            return (centered * scale[:, None] + self.bias[:, None]).to(x.dtype)
