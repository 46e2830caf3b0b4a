"""CSV files of what was measured, and RESULTS.md, made from them alone."""

import csv
import importlib
import json
import shlex
import sys
from datetime import date
from math import inf, log
from pathlib import Path

from speechbrain_petl.utils.versions import versions

from benchmarks.machine import machine, peer_versions
from benchmarks.targets import TARGETS

RUNS = "runs.json"
POINT = 0.01 + 1e-9  # of accuracy, and what rounding makes of it
INTRODUCTION = """# Measured

Written by `python -m benchmarks`; [the scripts](.) say what each row is. All
contenders of a group are loaded at once, each in a process of its own, and
run in turns, round after round. A ratio is a median over the rounds, its
quartiles behind it; the first row of a group is what the others are compared
with. Figures of different groups were taken at different times: compare
ratios. `seconds` is one run: a step, an epoch, all clips; with `--clock
processor` it is processor time, which others on a shared machine hardly change.
Backbones have AST-base's size and random weights unless a row says otherwise.

Peers run in their own best documented setting, and in ours. PEFT and Hugging
Face have the same plain loop, batch, precision, rank and sites as ours. The
reference code is that of arXiv 2312.03694
(github.com/umbertocappellazzo/PETL_AST), unchanged, in an environment with the
transformers 4.28.1 that it needs:

```
git clone https://github.com/umbertocappellazzo/PETL_AST
python -m venv petl_ast_env
petl_ast_env/bin/pip install torch torchaudio transformers==4.28.1 \\
    "numpy<2" librosa==0.9.2 resampy soundfile "setuptools<70"
python -m benchmarks --reference PETL_AST \\
    --reference_python petl_ast_env/bin/python
```

[PROFILE.md](PROFILE.md) says where a step's time goes.
"""
NO_GPU = """
## GPU

Nothing here was measured on a GPU. `python -m benchmarks --device cuda
--compile --batches 8 32 128` measures the same there, `torch.compile` on and
off and a sweep of batch sizes included.
"""
COLUMNS = {
    "contender": "",
    "seconds": "seconds",
    "clips_per_s": "clips/s",
    "speed_ratio": "speed ratio",
    "peak_mb": "peak MB",
    "tensors_mb": "tensors MB",
    "stored_mb": "stored MB",
    "held_mb": "held MB",
    "disk_mb": "disk MB",
    "switch_ms": "switching ms",
    "first_ms": "first use ms",
    "accuracy": "accuracy",
    "to_accuracy": "to accuracy",
    "to_accuracy_ratio": "ratio",
    "trained": "trained",
    "gflop": "GFLOP",
    "share_of_matmul": "of matmul",
    "exponent": "exponent",
    "difference": "difference",
}
SPREAD = ("seconds", "speed_ratio")


def derive(rows: list[dict]) -> None:
    """Adds what follows from a group's rows to each."""
    peaks = {
        row["precision"]: row["gflop_per_s"]
        for row in rows
        if row["contender"].startswith("matmul")
    }
    for row in rows:
        row["time_ratio"] = 1 / row["speed_ratio"]
        if row.get("precision") in peaks and "gflop_per_s" in row:
            row["share_of_matmul"] = (
                row["gflop_per_s"] / peaks[row["precision"]]
            )
        for column in ("peak_mb", "tensors_mb", "held_mb", "disk_mb"):
            if column in row:
                row[f"{column}_ratio"] = row[column] / rows[0][column]
        if "accuracy" in row:
            row["points_lost"] = 100 * (rows[0]["accuracy"] - row["accuracy"])
        others = [one["speed_ratio"] for one in rows if one is not row]
        if others:
            row["of_best_other"] = row["speed_ratio"] / max(others)
    reach(rows)
    for before, row in zip(rows, rows[1:], strict=False):
        if "size" in row:
            times = row["seconds"] / before["seconds"]
            row["exponent"] = log(times) / log(row["size"] / before["size"])


def reach(rows: list[dict]) -> None:
    """Adds when each row's accuracy was within a point of the first's last.

    The curves, lists of seconds and accuracy, are replaced by text. What never
    was so good has infinite seconds, and a ratio of zero.
    """
    for row in rows:
        points = row.pop("curve", None)
        if points is None:
            continue
        enough = [s for s, a in points if a >= rows[0]["accuracy"] - POINT]
        row["curve"] = " ".join(f"{s:.4g}:{a:.4g}" for s, a in points)
        row["to_accuracy"] = min(enough, default=inf)
        row["to_accuracy_ratio"] = rows[0]["to_accuracy"] / row["to_accuracy"]


def file_of(output: Path, subject: str, device: str) -> Path:
    """Returns the CSV file of a subject, with the kind of a GPU in its name."""
    kind = device.partition(":")[0]
    suffix = "" if kind == "cpu" else f"_{kind}"
    return output / f"{subject}{suffix}.csv"


def write_subject(options, subject: str, rows: list[dict]) -> None:
    """Writes the rows of a subject, and how they were measured."""
    options.output.mkdir(parents=True, exist_ok=True)
    file = file_of(options.output, subject, options.device)
    columns = dict.fromkeys(column for row in rows for column in row)
    with open(file, "w", newline="") as stream:
        writer = csv.DictWriter(stream, list(columns), lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({k: rounded(v) for k, v in row.items()})
    runs_file = options.output / RUNS
    runs = json.loads(runs_file.read_text()) if runs_file.exists() else {}
    given = [Path(a).name if "/" in a else a for a in sys.argv[1:]]
    runs[file.stem] = {
        "date": date.today().isoformat(),
        "machine": machine(options.device, options.threads),
        "command": shlex.join(["python", "-m", "benchmarks", *given]),
        "versions": versions() | peer_versions(options),
    }
    runs_file.write_text(json.dumps(runs, indent=2, sort_keys=True) + "\n")


def rounded(value):
    """Rounds numbers to five significant digits."""
    return float(f"{value:.5g}") if isinstance(value, float) else value


def read_rows(file: Path) -> list[dict]:
    """Reads the rows of a CSV file, numbers as numbers."""
    with open(file, newline="") as stream:
        return [
            {k: number(v) for k, v in row.items() if v != ""}
            for row in csv.DictReader(stream)
        ]


def number(text: str):
    """Returns a number if the text is one."""
    try:
        return float(text)
    except ValueError:
        return text


def cell(row: dict, column: str) -> str:
    """Formats one cell of a table."""
    if column not in row:
        return ""
    value = row[column]
    if isinstance(value, str):
        return value
    text = digits(value)
    if column in SPREAD:
        low, high = row[f"{column}_q1"], row[f"{column}_q3"]
        text += f" ({digits(low)}-{digits(high)})"
    return text


def digits(value: float) -> str:
    """Formats three significant digits; tiny numbers with an exponent."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 1e-3 else f"{value:.1e}"


def table(rows: list[dict]) -> list[str]:
    """Returns the lines of a Markdown table of one group."""
    columns = [c for c in COLUMNS if any(c in row for row in rows)]
    heads = [COLUMNS[c] for c in columns]
    lines = [heads, ["---", *["---:"] * (len(columns) - 1)]]
    lines += [[cell(row, c) for c in columns] for row in rows]
    return [f"| {' | '.join(line)} |" for line in lines]


def as_text(rows: list[dict]) -> str:
    """Formats one group for the terminal."""
    return "\n".join([f"\n{rows[0]['group']}\n", *table(rows)])


def targets(
    rows: dict[str, list[dict]], machines: dict[str, str] | None = None
) -> list[str]:
    """Returns the lines of the table of targets and measurements.

    Arguments
    ---------
    rows : dict of str to list of dict
        Rows by subject.
    machines : dict of str to str
        What each subject was measured on.
    """
    lines = ["| Target | | Measured | |", "|---|---:|---:|---|"]
    for target in TARGETS:
        found = target.find(rows)
        if machines and target.unit not in machines.get(target.subject, ""):
            found = None
        if found is None:
            measured, verdict = "", "not measured"
        else:
            verdict = "met" if target.met_by(found) else "missed"
            measured = digits(found)
        wanted = f"{target.relation} {digits(target.value)}"
        lines.append(f"| {target.text} | {wanted} | {measured} | {verdict} |")
    return lines


def write_page(output: Path) -> None:
    """Writes RESULTS.md from the CSV files that are there."""
    runs_file = output / RUNS
    if not runs_file.exists():
        return
    runs = json.loads(runs_file.read_text())
    rows = {name: read_rows(output / f"{name}.csv") for name in runs}
    machines = {name: run["machine"] for name, run in runs.items()}
    lines = [INTRODUCTION, *targets(rows, machines)]
    for name, run in runs.items():
        module = importlib.import_module(
            f"benchmarks.{name.removesuffix('_cuda')}"
        )
        title, _, text = module.__doc__.partition("\n\n")
        known = ", ".join(f"{k} {v}" for k, v in run["versions"].items())
        lines += ["", f"## {title}", "", text.strip(), ""]
        lines += [f"{run['date']}, {run['machine']}: {known}", ""]
        lines += [f"    {run['command']}", ""]
        for group in dict.fromkeys(row["group"] for row in rows[name]):
            some = [row for row in rows[name] if row["group"] == group]
            lines += [f"**{group}**", "", *table(some), ""]
    if not any(name.endswith("_cuda") for name in runs):
        lines += [NO_GPU]
    text = "\n".join(lines).rstrip() + "\n"
    (output / "RESULTS.md").write_text(text)
