"""What a command line names is looked at before anything is loaded."""

import pytest
from speechbrain_petl.training import inputs


def test_a_yaml_that_cannot_be_read_is_told(tmp_path):
    with pytest.raises(ValueError, match=r"no YAML file .*absent\.yaml"):
        inputs.read_text(str(tmp_path / "absent.yaml"))
    (tmp_path / "latin.yaml").write_bytes(
        "title: \u00e9t\u00e9".encode("latin-1")
    )
    with pytest.raises(ValueError, match=r"latin\.yaml is no text in UTF-8"):
        inputs.read_text(str(tmp_path / "latin.yaml"))


def test_a_device_that_is_not_here_is_refused():
    assert inputs.check_device("cpu") == "cpu"
    for absent in ("cuda:99", "abacus"):
        with pytest.raises(ValueError, match=f"--device {absent}") as told:
            inputs.check_device(absent)
        assert "\n" not in str(told.value)


def test_a_misspelt_data_folder_is_told_at_once(tmp_path):
    here = str(tmp_path)
    inputs.check_data_folder({"data_folder": here, "download": False})
    inputs.check_data_folder({"data_folder": None})  # its YAML requires it
    inputs.check_data_folder({"data_folder": f"{here}/x", "download": True})
    with pytest.raises(ValueError, match="no data folder '.*/x': give"):
        inputs.check_data_folder({"data_folder": f"{here}/x"})
