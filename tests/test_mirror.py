"""The tests mirror the library: each module has a test file of its name."""

from pathlib import Path

ROOT = Path(__file__).parents[1]
LIBRARY = ROOT / "speechbrain_petl"
# Modules that a test of something larger tries, and which one that is. A new
# module gets a test file, and a module that has got one leaves this list.
ELSEWHERE = {
    "adapt/candidates.py": "adapt/test_rounds.py",
    "adapt/embeddings.py": "adapt/test_probe.py",
    "adapt/final.py": "adapt/test_session.py",
    "adapt/linear.py": "adapt/test_session.py",
    "adapt/recipe.py": "adapt/test_session.py",
    "adapt/record.py": "adapt/test_session.py",
    "adapt/reporting/facts.py": "adapt/test_report.py",
    "adapt/reporting/page.py": "adapt/test_report.py",
    "adapt/request.py": "adapt/test_session.py",
    "adapt/runs.py": "adapt/test_session.py",
    "adapt/sounds.py": "adapt/test_session.py",
    "adapt/task.py": "adapt/test_tags.py",
    "artefacts/decisions.py": "inference/test_tagger.py",
    "cli/answers.py": "cli/test_files.py",
    "cli/answer_options.py": "cli/test_options.py",
    "cli/artefact_options.py": "cli/test_options.py",
    "cli/many_options.py": "cli/test_files.py",
    "cli/other_options.py": "cli/test_options.py",
    "cli/page.py": "inference/serve/test_space.py",
    "cli/serve_options.py": "cli/test_options.py",
    "cli/shared.py": "cli/test_commands.py",
    "cli/source_options.py": "cli/test_options.py",
    "cli/timeline.py": "cli/test_files.py",
    "cli/train_options.py": "cli/test_bad_arguments.py",
    "inference/answers.py": "cli/test_files.py",
    "inference/label_files.py": "inference/test_timeline.py",
    "inference/xares.py": "inference/test_embedder.py",
    "integrations/extractors.py": "lobes/test_whisper_fbank.py",
    "integrations/onnx_bank_export.py": "integrations/test_onnx_bank.py",
    "integrations/stock.py": "integrations/test_transformers.py",
    "training/outputs.py": "training/test_task.py",
    "training/tag_results.py": "training/test_tagging.py",
}


def untested():
    """Modules without a test file of their name."""
    return {
        str(file.relative_to(LIBRARY))
        for file in LIBRARY.rglob("*.py")
        if not file.name.startswith("__")
        and not home_of(str(file.relative_to(LIBRARY))).is_file()
    }


def home_of(module):
    """Where the test of a module belongs."""
    path = Path(module)
    return ROOT / "tests" / path.parent / f"test_{path.name}"


def test_each_module_has_a_test_file_of_its_name():
    bare = untested() - set(ELSEWHERE)
    assert not bare, f"write {[str(home_of(m)) for m in sorted(bare)]}"


def test_exceptions_are_true():
    assert set(ELSEWHERE) <= untested(), "these have a test file, or are gone"
    missing = {
        f for f in ELSEWHERE.values() if not (ROOT / "tests" / f).exists()
    }
    assert not missing


def test_no_test_is_of_a_module_that_is_gone():
    """Tests of several modules have names of their own, in the same folders."""
    folders = {p.parent.relative_to(LIBRARY) for p in LIBRARY.rglob("*.py")}
    lost = {
        file.relative_to(ROOT / "tests").parent
        for file in (ROOT / "tests").rglob("test_*.py")
    } - folders
    apart = {"benchmarks", "docs", "recipes", "reliability"}
    assert {str(folder) for folder in lost} <= apart
