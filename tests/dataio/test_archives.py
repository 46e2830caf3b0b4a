"""An archive that may be hostile is unpacked whole, or not at all."""

import io
import tarfile
import zipfile

import pytest
from speechbrain_petl.dataio.archives import unpack


def make_zip(files):
    """A zip archive, not compressed, so that it stays long."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def make_tar(members, mode="w:gz"):
    """A tar archive; a member is a name with its content or a TarInfo."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as archive:
        for member, content in members:
            if isinstance(member, str):
                member = tarfile.TarInfo(member)
                member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def names(folder):
    """What is in a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_tar_without_a_top_folder(tmp_path):
    body = make_tar([("./yes/a.wav", b"a"), ("list.txt", b"b")])
    (tmp_path / "a.tar.gz").write_bytes(body)
    unpack(tmp_path / "a.tar.gz", tmp_path / "corpus")
    assert names(tmp_path / "corpus") == ["list.txt", "yes"]


@pytest.mark.parametrize("name", ["../evil", "a/../../evil", "/evil", "..\\e"])
@pytest.mark.parametrize("kind", ["zip", "tar"])
@pytest.mark.fault("archive: members that climb out (zip-slip, tar-slip)")
def test_members_that_climb_out_are_refused(kind, name, tmp_path):
    body = make_zip({name: b"x"}) if kind == "zip" else make_tar([(name, b"")])
    refused(tmp_path, body, name)


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE])
@pytest.mark.parametrize("target", ["../../evil", "/etc/hostname"])
@pytest.mark.fault("archive: links that lead out")
def test_links_out_of_the_archive_are_refused(kind, target, tmp_path):
    link = tarfile.TarInfo("link")
    link.type, link.linkname = kind, target
    refused(tmp_path, make_tar([("a", b"a"), (link, b"")]), "link")


@pytest.mark.fault("archive: devices")
def test_devices_are_refused(tmp_path):
    device = tarfile.TarInfo("pipe")
    device.type = tarfile.FIFOTYPE
    refused(tmp_path, make_tar([(device, b"")]), "pipe")


def refused(folder, body, member):
    """Asserts that an archive is refused and leaves no trace."""
    inner = folder / "inner"
    inner.mkdir()
    (inner / "archive").write_bytes(body)
    with pytest.raises(ValueError, match="was not unpacked") as error:
        unpack(inner / "archive", inner / "corpus")
    assert repr(member) in str(error.value)
    assert names(inner) == ["archive"] and names(folder) == ["inner"]


def test_links_inside_the_archive_are_fine(tmp_path):
    link = tarfile.TarInfo("link")
    link.type, link.linkname = tarfile.SYMTYPE, "a"
    (tmp_path / "a.tar").write_bytes(make_tar([("a", b"a"), (link, b"")], "w"))
    unpack(tmp_path / "a.tar", tmp_path / "corpus")
    assert (tmp_path / "corpus" / "link").read_bytes() == b"a"


@pytest.mark.fault("archive: not an archive")
def test_what_is_not_an_archive_or_lacks_the_top_folder(tmp_path):
    (tmp_path / "a").write_bytes(b"hello")
    with pytest.raises(ValueError, match="neither a zip nor a tar"):
        unpack(tmp_path / "a", tmp_path / "corpus")
    (tmp_path / "a").write_bytes(make_zip({"other/x": b""}))
    with pytest.raises(ValueError, match="no folder top, but other"):
        unpack(tmp_path / "a", tmp_path / "corpus", top_level="top")
    assert names(tmp_path) == ["a"]
