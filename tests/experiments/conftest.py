"""A stand-in for the recipes: its train.py trains nothing, in no time."""

import json
import shutil
import textwrap

import pytest
from speechbrain_petl.experiments.planning.recipes import FILE
from speechbrain_petl.utils.recipes import find_recipes

TRAIN = """
import json, os, sys, time
options = dict(a[2:].split("=", 1) for a in sys.argv[2:] if "=" in a)
folder = options["output_folder"]
with open(folder + "/starts", "a") as file:
    file.write("x")
with open(folder + "/pid_" + os.environ.get("RANK", "0"), "w") as file:
    file.write(str(os.getpid()))
print("training with seed", options["seed"])
if options.get("behave") == "fail" and not os.path.exists(folder + "/mended"):
    sys.exit("the loss is nan")
end = time.time() + 120  # nothing is left for ever by a test that fails
while options.get("behave") == "wait" and not os.path.exists(folder + "/go"):
    time.sleep(0.05)
    if time.time() > end:
        sys.exit("nobody said go")
time.sleep(float(options.get("seconds", 0)))
lr = float(options.get("lr", 0.1))
fold = int(options.get("test_fold", 1))
accuracy = 0.5 + lr + fold / 100
results = {
    "accuracy": accuracy, "n_test": 100, "n_correct": round(accuracy * 100),
    "valid_accuracy": 1 - (lr - 0.3) ** 2, "trainable": {"method": 1000,
    "norm": 20, "norm_final": 3, "head": 4}, "versions": {"torch": "0"},
    "hyperparameters": {"lr": lr}, "labels": ["a", "b"],
    "confusion": [[30, 20], [10, 40]],
}
with open(folder + "/train_log.txt", "w") as file:
    file.write("epoch: 1, lr: 1.0e-03 - train loss: 1.0\\\\n")
with open(folder + "/results.json", "w") as file:
    json.dump(results, file)
os.makedirs(folder + "/artefact", exist_ok=True)
with open(folder + "/artefact/artefact.json", "w") as file:
    file.write("{}")
with open(folder + "/ends", "a") as file:
    file.write("x")
"""


@pytest.fixture
def recipes(tmp_path):
    """Recipes of two corpora, one in folds, with two YAMLs each."""
    folder = tmp_path / "recipes"
    for corpus in ("ESC50", "GoogleSpeechCommands"):
        (folder / corpus / "hparams").mkdir(parents=True)
        shutil.copy(find_recipes() / corpus / FILE, folder / corpus)
        script = textwrap.dedent(TRAIN).replace("\\\\n", "\\n")
        (folder / corpus / "train.py").write_text(script)
        for name in ("lora", "linear"):
            yaml = folder / corpus / "hparams" / f"{name}.yaml"
            yaml.write_text("lr: 0.1\nbehave: well\nseconds: 0.0\nseed: 1\n")
    return folder


@pytest.fixture
def data(tmp_path):
    """A data folder."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "meta.csv").write_text("a,b\n")
    return tmp_path / "data"


@pytest.fixture
def write_plan(tmp_path, data):
    """Writes a plan: ``write_plan(variants, **keys)``."""

    def write(variants, **keys):
        plan = {
            "title": "A plan",
            "corpora": ["ESC50"],
            "folds": [1, 2],
            "variants": variants,
            "data_folders": {
                "ESC50": str(data),
                "GoogleSpeechCommands": str(data),
            },
            **keys,
        }
        file = tmp_path / "plan.yaml"
        file.write_text(json.dumps(plan))  # which is YAML too
        return file

    return write
