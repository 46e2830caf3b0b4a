"""The commands behind a page: serve, export-space."""

from speechbrain_petl.cli.shared import device_of
from speechbrain_petl.inference.serve.limits import Limits
from speechbrain_petl.inference.serve.server import serve as serve_page
from speechbrain_petl.inference.serve.sources import named_sources
from speechbrain_petl.inference.serve.space import export_space


def serve(options) -> int:
    """Serves artefacts as a page with an API."""
    serve_page(
        named_sources(options.artefacts),
        options.host,
        options.port,
        Limits(options.max_megabytes, options.max_seconds),
        say=lambda line: print(line, flush=True),
        backbone=options.backbone,
        device=device_of(options.device),
        fetch=options.fetch or None,
        precision=options.precision,
    )
    return 0


def write_space(options) -> int:
    """Writes a folder ready to be a Space."""
    sources = named_sources(options.artefacts)
    for note in export_space(
        sources,
        options.output,
        options.backbone,
        options.title,
        options.package,
    ):
        print(note)
    print(
        f"'{options.output}' is ready: python {options.output}/app.py, or "
        f"hf upload owner/name {options.output} . --repo-type space"
    )
    return 0
