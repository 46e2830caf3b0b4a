"""From a run's YAML to the one for inference: what stays and what goes."""

import pytest
from speechbrain_petl.artefacts.inference_yaml import inference_yaml
from speechbrain_petl.artefacts.safe_yaml import Tagged, read_tree

RUN = """
data_folder: /data/esc
lr: 0.1
source: /models/tiny
shared: &shared !new:some.Part
  size: 3
backbone: &backbone !new:some.Backbone
  source: /models/tiny
  max_length: 48
compute_features: !new:some.Features
  mean: 0.5
encoder: !new:some.Encoder
  backbone: *backbone
  parts: [*shared, *shared]
  note: plain
classifier: !name:torch.nn.Linear
  bias: False
optimizer: !name:torch.optim.Adam
  lr: 0.1
"""


class Chosen:
    """What the function made."""

    def options(self):
        """Returns the arguments."""
        return {"max_length": 7, "source": "/models/tiny"}


def derive(run=RUN, **options):
    """Derives the YAML and reads it as plain data."""
    text = inference_yaml(
        run, (4, 2), "owner/tiny", "v1", 16000, "f" * 64, **options
    )
    return read_tree(text, "hyperparams.yaml")


def test_training_and_paths_stay_behind():
    found = derive()
    assert not {"data_folder", "lr", "optimizer"} & set(found)
    assert "/models" not in str(found) and "/data" not in str(found)
    assert (found["source"], found["revision"]) == ("owner/tiny", "v1")
    locate = found["backbone"].value["source"]
    assert locate.tag.startswith("!apply:")
    assert locate.value == [Tagged("!ref", "<source>")]
    assert found["backbone"].value["revision"] == Tagged("!ref", "<revision>")
    assert found["backbone"].value["max_length"] == 48


def test_shared_objects_stay_one_and_the_head_gets_its_sizes():
    found = derive()
    part = Tagged("!ref", "<shared>")
    assert found["shared"] == Tagged("!new:some.Part", {"size": 3})
    assert found["encoder"].value == {
        "backbone": Tagged("!ref", "<backbone>"),
        "parts": [part, part],
        "note": "plain",
    }
    assert found["classifier"] == Tagged(
        "!new:torch.nn.Linear",
        {"in_features": 4, "out_features": 2, "bias": False},
    )
    assert found["pretrainer"].value["tensors"] == "f" * 64


def test_a_function_that_chose_a_class_becomes_the_class():
    run = RUN.replace("!new:some.Backbone", "!apply:some.choose")
    found = derive(run, made={"backbone": Chosen()})
    name = f"!new:{Chosen.__module__}.{Chosen.__qualname__}"
    assert found["backbone"].tag == name
    assert found["backbone"].value["max_length"] == 7
    assert found["encoder"].value["backbone"] == Tagged("!ref", "<backbone>")


@pytest.mark.parametrize(
    "old, new, words",
    [
        ("note: plain", "note: /home/me/x", "'encoder.note' is the path"),
        ("compute_features:", "features:", "has no 'compute_features'"),
        ("backbone: *backbone", "backbone: text", "a reference to a top-level"),
    ],
)
def test_what_cannot_travel_is_refused(old, new, words):
    with pytest.raises(ValueError, match=words):
        derive(RUN.replace(old, new))
