"""What figures show, in words."""

from pathlib import Path

import pytest
from speechbrain_petl.experiments.reporting.captions import CAPTIONS, tell
from speechbrain_petl.experiments.reporting.plot import KINDS
from speechbrain_petl.utils.metric import Metric

PLAN = (["ESC50", "ESC50_mine"], ["lora", "dpt"], {"ESC50": Metric("mAP")})


def test_every_kind_has_a_caption():
    kinds = {kind.partition("_")[0] for kind in CAPTIONS}
    assert {kind.partition("_")[0] for kind in KINDS} == kinds


@pytest.mark.parametrize(
    "name, corpus, said",
    [
        ("ranking_ESC50", "ESC50", "Test mAP of all variants"),
        ("ranking_ESC50_mine", "ESC50_mine", "Test accuracy of all"),
        ("training_ESC50_lora", "ESC50", "Training of lora: losses"),
        ("confusion_ESC50_mine_dpt", "ESC50_mine", "Confusions of dpt"),
        ("tsne_cls_ESC50", "ESC50", "Test clips of the first fold by"),
        ("my_own_ESC50", None, "my own ESC50"),
        ("training_ESC50_gone", None, "training ESC50 gone"),
    ],
)
def test_names_become_words(name, corpus, said):
    told = tell(Path(f"{name}.svg"), *PLAN)
    assert told.corpus == corpus and told.caption.startswith(said)
    assert "{" not in told.caption
