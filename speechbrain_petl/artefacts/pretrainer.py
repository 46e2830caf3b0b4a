"""ArtefactLoader: what SpeechBrain's interfaces load an artefact through."""

import json
import os
from pathlib import Path

from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError
from speechbrain_petl.artefacts.backbones import check_backbone
from speechbrain_petl.artefacts.check import check_labels, load_tensors
from speechbrain_petl.artefacts.format import read_metadata
from speechbrain_petl.artefacts.self_check import check_probe
from speechbrain_petl.lobes.ast import AST
from speechbrain_petl.lobes.petl import PETLModel
from torch import nn

from speechbrain.dataio.encoder import CategoricalEncoder
from speechbrain.utils.fetching import FetchConfig, LocalStrategy, fetch
from speechbrain.utils.parameter_transfer import Pretrainer

FILES = ("artefact.json", "petl.safetensors", "label_encoder.txt")


class ArtefactLoader(Pretrainer):
    """SpeechBrain's ``Pretrainer`` for artefacts; what is amiss raises.

    Any of SpeechBrain's interfaces loads an artefact through it, since
    ``hyperparams.yaml`` names it as the ``pretrainer``.

    Arguments
    ---------
    tensors : str
        SHA-256 of ``petl.safetensors``.
    backbone : AST
        As it came from its source.
    compute_features : ASTFbank
        The front end.
    encoder : PETLModel
        The adapted backbone, not yet trained.
    classifier : torch.nn.Module
        The head, not yet trained.
    label_encoder : CategoricalEncoder
        Empty.

    Raises
    ------
    ValueError
        On loading, if a file is missing or another artefact's, a tensor is
        missing, unexpected or misshapen, the label map is not the head's, the
        backbone is another, or the probe fails.
    """

    def __init__(
        self,
        tensors: str,
        backbone: AST,
        compute_features: nn.Module,
        encoder: PETLModel,
        classifier: nn.Module,
        label_encoder: CategoricalEncoder,
    ):
        super().__init__()
        self.tensors = tensors
        self.backbone = backbone
        self.modules = [compute_features, encoder, classifier]
        self.label_encoder = label_encoder

    def collect_files(
        self,
        default_source: str | None = None,
        local_strategy: LocalStrategy = LocalStrategy.SYMLINK,
        fetch_config: FetchConfig = FetchConfig(),
    ) -> dict:
        """Fetches the files from a folder or the hub, as ``Pretrainer``."""
        self._claim(default_source, fetch_config.revision)
        self.paths = {
            name: _fetch(
                name,
                default_source,
                savedir=self.collect_in,
                local_strategy=local_strategy,
                fetch_config=fetch_config,
            )
            for name in FILES
        }
        return self.paths

    def _claim(self, source, revision):
        """Refuses a savedir that holds the files of another artefact.

        SpeechBrain would take those without a word.
        """
        if self.collect_in is None:
            return
        if os.path.isdir(source):
            source = os.path.realpath(source)
        note = self.collect_in / "source.json"
        ours = {"source": str(source), "revision": revision}
        if (self.collect_in / FILES[0]).exists():
            if self.collect_in.resolve() == Path(str(source)):
                return
            theirs = json.loads(note.read_text()) if note.exists() else {}
            if theirs != ours:
                raise ValueError(
                    f"savedir '{self.collect_in}' already holds the files of "
                    f"'{theirs.get('source', 'another artefact')}', not of "
                    f"'{source}': give each artefact a savedir of its own."
                )
        note.write_text(json.dumps(ours))

    def load_collected(self) -> None:
        """Fills the modules and the label map, and checks the result."""
        metadata = read_metadata(self.paths["artefact.json"])
        check_backbone(self.backbone, metadata["backbone"]["fingerprint"])
        load_tensors(
            self.paths["petl.safetensors"], self.tensors, *self.modules[1:]
        )
        self.label_encoder.load(
            check_labels(self.paths["label_encoder.txt"], metadata)
        )
        self.label_encoder.expect_len(len(metadata["labels"]))
        check_probe(metadata["probe"], *self.modules)


def _fetch(name, source, **options):
    """SpeechBrain's ``fetch``, with an error that says what is missing."""
    if os.path.isdir(source) and not os.path.isfile(os.path.join(source, name)):
        raise ValueError(
            f"'{source}' is no whole artefact: there is no {name}."
        )
    try:
        return fetch(name, source=source, **options)
    except (HfHubHTTPError, LocalEntryNotFoundError) as error:
        raise ValueError(
            f"'{source}' is neither a local artefact nor one that can be "
            f"fetched from the hub: there is no {name}. ({error})"
        ) from error
