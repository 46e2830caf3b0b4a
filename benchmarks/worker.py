"""Runs one contender in a process of its own, when it is told to.

Imports nothing but PyTorch, so that another environment can run it as well.
Started and spoken to by ``measure``: arguments are ``module:function``, which
gives a callable and facts about it, and the function's options as JSON. Each
line on the standard input asks for one run; its end for the peak memory. Of
the facts, ``opaque`` says that operations cannot be counted, and ``cold`` that
nothing is to be warmed up. A run may give facts, too.
"""

import ctypes
import gc
import importlib
import json
import os
import resource
import sys
import time
from pathlib import Path

import torch
from torch.utils.flop_counter import FlopCounterMode, sdpa_flop_count

STATUS = Path("/proc/self/status")
ATEN = torch.ops.aten


def attention_on_cpu(query, key, value, *args, out_shape=None, **kwargs):
    """Counts the operations of an attention that PyTorch's counter lacks."""
    return sdpa_flop_count(query, key, value)


def attention_backward_on_cpu(grad, query, key, value, *args, **kwargs):
    """Counts its backward pass: four products, no recomputed scores."""
    return 2 * sdpa_flop_count(query, key, value)


ON_CPU = {
    ATEN._scaled_dot_product_flash_attention_for_cpu: attention_on_cpu,
    ATEN._scaled_dot_product_flash_attention_for_cpu_backward: (
        attention_backward_on_cpu
    ),
}


def count_operations(run) -> int:
    """Counts the floating-point operations of matrix products in one run."""
    counter = FlopCounterMode(display=False, custom_mapping=ON_CPU)
    with counter:
        run()
    return counter.get_total_flops()


class Memory:
    """The most memory that a process has held since ``reset``, in bytes.

    On a GPU what PyTorch has allocated there; on the CPU the process's
    resident set.
    """

    def __init__(self, device: str):
        self.cuda = device.startswith("cuda")

    def reset(self) -> None:
        """Starts anew."""
        if self.cuda:
            torch.cuda.reset_peak_memory_stats()
        else:
            gc.collect()
            ctypes.CDLL(None).malloc_trim(0)  # what is free, but kept
            Path("/proc/self/clear_refs").write_text("5")

    def peak(self) -> int:
        """Returns the peak since then in bytes."""
        if self.cuda:
            return torch.cuda.max_memory_allocated()
        (line,) = [
            line
            for line in STATUS.read_text().splitlines()
            if line.startswith("VmHWM:")
        ]
        return int(line.split()[1]) * 1024


def processor_time() -> float:
    """Returns the seconds of all processors that this and its children had."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


CLOCKS = {"wall": time.perf_counter, "processor": processor_time}


def main(make: str, options: str) -> None:
    """Builds the contender and serves its runs."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what libraries print is no reply
    options = json.loads(options)
    device = options.get("device", "cpu")
    torch.set_num_threads(options.pop("threads"))
    clock = CLOCKS[options.pop("clock")]

    def reply(**facts):
        """Writes one line of JSON."""
        print(json.dumps(facts), file=replies, flush=True)

    module, _, name = make.partition(":")
    started = time.perf_counter()
    run, facts = getattr(importlib.import_module(module), name)(**options)
    facts["load_s"] = round(time.perf_counter() - started, 2)
    memory = Memory(device)
    wait = torch.cuda.synchronize if memory.cuda else lambda: None
    if not facts.pop("opaque", False) and "operations" not in facts:
        facts["operations"] = count_operations(run)
    if not facts.pop("cold", False):
        run()
    wait()
    memory.reset()
    reply(**facts)
    for _ in sys.stdin:
        started = clock()
        found = run() or {}
        wait()
        reply(seconds=clock() - started, **found)
    reply(peak_bytes=memory.peak())


if __name__ == "__main__":
    main(*sys.argv[1:])
