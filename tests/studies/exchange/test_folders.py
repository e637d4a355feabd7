"""Archives that hold far more than data do."""

import tarfile
import zipfile

import pytest

from studies.exchange import folders

ZEROS = bytes(10**6)


@pytest.fixture(params=["zip", "tar.gz"])
def archive(request, tmp_path):
    """A million zeros, in a thousand bytes or so."""
    (tmp_path / "zeros").write_bytes(ZEROS)
    path = tmp_path / f"bomb.{request.param}"
    if request.param == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
            file.write(tmp_path / "zeros", "zeros")
    else:
        with tarfile.open(path, "w:gz") as file:
            file.add(tmp_path / "zeros", "zeros")
    return path


def test_an_archive_that_would_fill_the_disk_is_refused_before_it_is_unpacked(archive, monkeypatch):
    unpacked = []
    monkeypatch.setattr(folders.shutil, "unpack_archive", lambda *words, **_: unpacked.append(words))
    monkeypatch.setattr(folders, "ANY", 10**5)
    with (
        pytest.raises(
            ValueError, match=r"it holds more than [\d,]+ bytes, over 200 times its own size"
        ),
        folders.opened(archive),
    ):
        pass
    assert not unpacked


def test_a_small_one_may_be_as_dense_as_it_likes(archive):
    with folders.opened(archive) as folder:
        assert (folder / "zeros").read_bytes() == ZEROS
