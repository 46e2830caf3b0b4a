"""A folder ready to be a Space."""

import json
import runpy
import shutil

import pytest
from ruamel.yaml import YAML
from speechbrain_petl.artefacts.open import Artefact
from speechbrain_petl.cli.main import main
from speechbrain_petl.inference.serve import server, space


def export(artefacts, folder, **options):
    """Writes a Space of two tasks; returns what it still needs."""
    sources = {task: str(artefacts[task]) for task in ("evil", "voices")}
    return space.export_space(sources, folder, **options)


def test_it_is_whole_and_runs(
    artefacts, tiny_folder, tmp_path, monkeypatch, service, clips
):
    """Its program serves what was served from where it came."""
    target = tmp_path / "space"
    notes = export(artefacts, target, backbone=tiny_folder, title="<b>: 'x'")
    name = Artefact.open(artefacts["evil"]).metadata["backbone"]["source"]
    found = {str(p.relative_to(target)) for p in target.rglob("*")}
    assert {"app.py", "requirements.txt", "README.md", "space.json"} <= found
    assert f"backbones/{name}/model.safetensors" in found
    assert "artefacts/evil/petl.safetensors" in found
    assert len(notes) == 1 and "requirements.txt names speechbrain" in notes[0]
    _, front, text = (target / "README.md").read_text().split("---\n", 2)
    front = YAML(typ="safe").load(front)
    assert front["sdk"] == "gradio" and front["app_file"] == "app.py"
    assert front["title"] == "<b>: 'x'" and front["models"] == []
    assert "# &lt;b&gt;" in text and "**evil**: classification, 3 lab" in text

    asked = {}

    def serve(sources, **options):
        asked.update(options)
        asked["service"] = server.Service(sources, fetch=options["fetch"])

    monkeypatch.setattr(server, "serve", serve)
    monkeypatch.setenv("SPEECHBRAIN_PETL_BACKBONES", "")
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(target / "app.py"), run_name="__main__")
    assert (asked["host"], asked["port"]) == ("127.0.0.1", 7860)
    assert asked["fetch"] is False
    ours = asked["service"].predict(clips["good"], "evil", 3)
    assert ours == service.predict(clips["good"], "evil", 3)
    monkeypatch.setenv("GRADIO_SERVER_NAME", "0.0.0.0")
    runpy.run_path(str(target / "app.py"), run_name="__main__")
    assert asked["host"] == "0.0.0.0"


def test_only_a_space_is_replaced(artefacts, tiny_folder, tmp_path):
    target = tmp_path / "space"
    export(artefacts, target, backbone=tiny_folder)
    sources = {"other": str(artefacts["plain"])}
    space.export_space(sources, target, backbone=tiny_folder)
    assert [p.name for p in (target / "artefacts").iterdir()] == ["other"]
    (target / "artefacts" / "mine.txt").write_text("Mine.")
    with pytest.raises(ValueError, match="holds 'artefacts/mine.txt', which"):
        export(artefacts, target, backbone=tiny_folder)
    assert (target / "artefacts" / "other").is_dir()


def test_artefacts_that_vote(artefacts, tiny_folder, tmp_path, clips):
    bank = tmp_path / "bank"
    for name in ("one", "two"):
        shutil.copytree(artefacts["plain"], bank / name)
    target = tmp_path / "space"
    for _ in range(2):
        space.export_space({"all": str(bank)}, target, backbone=tiny_folder)
    found = {p.name for p in (target / "artefacts" / "all").iterdir()}
    assert found == {"one", "two"}
    service = server.Service(
        {"all": target / "artefacts" / "all"}, backbone=tiny_folder
    )
    assert service.predict(clips["good"], "all", 3)["unknown"]


def test_a_backbone_of_the_hub_is_fetched_there(artefacts, tmp_path):
    source = tmp_path / "hub"
    shutil.copytree(artefacts["plain"], source)
    for name in ("artefact.json", "hyperparams.yaml"):
        text = (source / name).read_text()
        metadata = Artefact.open(artefacts["plain"]).metadata
        own = metadata["backbone"]["source"]
        (source / name).write_text(text.replace(own, "owner/ast"))
    target = tmp_path / "space"
    notes = space.export_space({"a": str(source)}, target, package="x @ y")
    assert notes == [
        "The Space fetches 'owner/ast' from the hub when it starts."
    ]
    assert json.loads((target / "space.json").read_text())["fetch"] is True
    assert 'models: ["owner/ast"]' in (target / "README.md").read_text()
    assert (target / "requirements.txt").read_text() == "x @ y\n"
    assert not (target / "backbones").exists()
    with pytest.raises(ValueError, match="--backbone x is not needed"):
        space.export_space({"a": str(source)}, target, backbone="x")


def test_backbones_that_do_not_do(artefacts, elsewhere, tiny_folder, tmp_path):
    bare = tmp_path / "bare"
    shutil.copytree(tiny_folder, bare)
    (bare / "model.safetensors").unlink()
    with pytest.raises(ValueError, match="has no model.safetensors: save it"):
        export(artefacts, tmp_path / "space", backbone=str(bare))
    with pytest.raises(ValueError, match="was a local folder"):
        export(artefacts, tmp_path / "space")
    assert not (tmp_path / "space").exists()


def test_the_command(artefacts, tiny_folder, tmp_path, capsys):
    target = str(tmp_path / "space")
    command = ["export-space", f"sounds={artefacts['evil']}", "--output"]
    assert main([*command, target, "--backbone", tiny_folder]) == 0
    assert (
        f"'{target}' is ready: python {target}/app.py" in capsys.readouterr()[0]
    )
    assert main([*command, str(tmp_path), "--backbone", tiny_folder]) == 2
    assert "is not to be replaced" in capsys.readouterr()[1]
