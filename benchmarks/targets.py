"""The targets: bounds of measured values."""

from dataclasses import dataclass


@dataclass
class Target:
    """A bound for a column of a row.

    Arguments
    ---------
    text : str
        What is wanted.
    subject, group, contender : str
        Which row.
    column : str
        Of the row.
    relation : str
        ``>=`` or ``<=``.
    value : float
        The bound.
    unit : str
        The bound is of machines with this unit; of all, if empty.
    """

    text: str
    subject: str
    group: str
    contender: str
    column: str
    relation: str
    value: float
    unit: str = ""

    def find(self, rows: dict[str, list[dict]]) -> float | None:
        """Returns the measured value, given the rows by subject."""
        for row in rows.get(self.subject, []):
            if (row["group"], row["contender"]) == (self.group, self.contender):
                return row.get(self.column)
        return None

    def met_by(self, measured: float) -> bool:
        """Returns True if the bound is met."""
        if self.relation == ">=":
            return measured >= self.value
        return measured <= self.value


STEP, FOLD, TASKS = "training_step", "A fold's clips", "Ten tasks"
PEERS, HOULSBY, BANK = "peers_step", "Houlsby adapters", "Twenty tasks"
TARGETS = (
    Target(
        "A Houlsby step, ours in bf16: speed against the reference as it is",
        *(PEERS, HOULSBY, "ours, bf16", "speed_ratio", ">=", 4.0),
        unit="AMX-BF16",
    ),
    Target(
        "The same where there is AVX512-BF16 and no AMX",
        *(PEERS, HOULSBY, "ours, bf16", "speed_ratio", ">=", 2.0),
    ),
    Target(
        "`precision: auto`: speed of a Houlsby step against the better of fp32 "
        "and bf16",
        *(PEERS, "Precision of Houlsby adapters", "ours, auto"),
        *("of_best_other", ">=", 0.97),
    ),
    Target(
        "A Houlsby step: speed against the reference, both in fp32",
        *(PEERS, HOULSBY, "ours, fp32", "speed_ratio", ">=", 1.0),
    ),
    Target(
        "A Houlsby step: speed against the reference, both in bf16",
        *(PEERS, "Houlsby adapters in bf16", "ours, bf16"),
        *("speed_ratio", ">=", 1.0),
    ),
    Target(
        "A LoRA step: speed against PEFT's, both in bf16",
        *(PEERS, "LoRA in bf16", "ours", "speed_ratio", ">=", 1.0),
    ),
    Target(
        "A LoRA step: speed against PEFT's, both in fp32",
        *(PEERS, "LoRA in fp32", "ours", "speed_ratio", ">=", 1.0),
    ),
    Target(
        "A Houlsby step in bf16: share of the bf16 matmul peak",
        *(STEP, "Houlsby adapters: plain loop and recipe", "plain loop"),
        *("share_of_matmul", ">=", 0.5),
    ),
    Target(
        "Soft-MoA of 7 experts: time against one adapter at the same place",
        *(STEP, "Mixtures of 7 adapters", "soft_moa"),
        *("time_ratio", "<=", 1.2),
    ),
    Target(
        "Files to features, cold cache: speed against the reference's loading",
        *("front_end", FOLD, "ours, cold cache", "speed_ratio", ">=", 3.0),
    ),
    Target(
        "Files to features, warm cache: speed against the reference's loading",
        *("front_end", FOLD, "ours, warm cache", "speed_ratio", ">=", 20.0),
    ),
    Target(
        "An epoch of the linear probe on stored states: speed",
        *("stored_states", "An epoch of the linear probe", "stored"),
        *("speed_ratio", ">=", 30.0),
    ),
    Target(
        "Houlsby adapters in the upper half, states stored at the cut: speed of "
        "an epoch against adapters in all layers",
        *("stored_states", "An epoch of Houlsby adapters"),
        *("upper half, stored", "speed_ratio", ">=", 1.9),
    ),
    Target(
        "The same in the upper quarter",
        *("stored_states", "An epoch of Houlsby adapters"),
        *("upper quarter, stored", "speed_ratio", ">=", 3.5),
    ),
    Target(
        "Learners on stored states of all layers: speed of an epoch of L-adapters "
        "against Houlsby adapters",
        *("stored_states", "An epoch of learners", "L-adapters, stored"),
        *("speed_ratio", ">=", 50.0),
    ),
    Target(
        "The same of a weighted sum",
        *("stored_states", "An epoch of learners", "weighted sum, stored"),
        *("speed_ratio", ">=", 50.0),
    ),
    Target(
        "Twenty runs of learners on one corpus: time against one",
        *("many_tasks", "Runs on one corpus", "twenty"),
        *("time_ratio", "<=", 2.0),
    ),
    Target(
        "Time to the reference's accuracy on ESC-10: ratio to its Houlsby recipe",
        *("time_to_accuracy", "ESC-10's folds"),
        *("ours, linear on stored states", "to_accuracy_ratio", ">=", 30.0),
    ),
    Target(
        "int8 by onnxruntime, AST-base's size: speed against fp32",
        *("int8", "AST-base's size", "int8", "speed_ratio", ">=", 2.0),
    ),
    Target(
        "int8 on ESC-10: points of accuracy lost",
        *("int8", "ESC-10's folds", "int8", "points_lost", "<=", 0.5),
    ),
    Target(
        "Twenty tasks in an ONNX bank: disk against one model",
        *("onnx_bank", BANK, "a bank", "disk_mb_ratio", "<=", 1.15),
    ),
    Target(
        "Twenty tasks in an ONNX bank: memory against one model",
        *("onnx_bank", BANK, "a bank", "held_mb_ratio", "<=", 1.15),
    ),
    Target(
        "An ONNX bank: milliseconds to switch to another task",
        *("onnx_bank", BANK, "a bank", "switch_ms", "<=", 5.0),
    ),
    *(
        Target(
            f"predict with --precision auto, {size}: files a second against "
            "one after another",
            *("predict_throughput", f"Files of 1 s, {size}"),
            *("in batches, --precision auto", "speed_ratio", ">=", 3.0),
        )
        for size in ("AST-base", "a small AST (6 layers, d 192)")
    ),
    Target(
        "Ten tasks in one bank: speed against one model",
        *("serving", TASKS, "a bank of ten", "speed_ratio", ">=", 0.85),
    ),
    Target(
        "Ten tasks in one bank: tensors against one model",
        *("serving", TASKS, "a bank of ten", "tensors_mb_ratio", "<=", 1.15),
    ),
    Target(
        "Ten tasks in one bank: the process's peak memory against one model",
        *("serving", TASKS, "a bank of ten", "peak_mb_ratio", "<=", 1.15),
    ),
    Target(
        "train.py from its start to the first step, seconds",
        *("start_up", "To the first step", "train.py", "seconds", "<=", 8.0),
    ),
    Target(
        "EER of VoxCeleb1-O's trials: speed against SpeechBrain's",
        *("verification_metrics", "EER", "ours", "speed_ratio", ">=", 100.0),
    ),
    Target(
        "minDCF of 20,000 trials: the process's memory against SpeechBrain's",
        *("verification_metrics", "minDCF", "ours"),
        *("peak_mb_ratio", "<=", 0.5),
    ),
    Target(
        "EER of VoxCeleb1-E's trials, seconds",
        "verification_metrics",
        *("EER of whole lists", "VoxCeleb1-E, 581,480 trials"),
        *("seconds", "<=", 1.0),
    ),
)
