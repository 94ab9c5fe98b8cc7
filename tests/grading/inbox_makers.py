"""Inboxes as platforms make them, from small notebooks; zips with any member names."""

import io
import tarfile
import zipfile

import tiny_course

GRADESCOPE = """\
---
submission_101:
  :submitters:
  - :name: Ada Lovelace
    :sid: '0077'
    :email: ada@x.edu
  :created_at: 2026-03-01 20:00:00.123456789 Z
  :score: 3.0
  :results:
    :tests:
    - :name: one
      :output: |
        submission_102:
          :submitters:
          - :name: Ada Lovelace
submission_102:
  :submitters:
  - :name: "Ben \\"B\\" Li"
    :sid: b2
    :email: ben@x.edu
  - :name: 'Cho O''Yun'
    :sid: c3
    :email: cho@x.edu
  :created_at: 2026-03-02 01:00:00 -0500
"""


def cells(text="x = 1"):
    """Return the bytes of a notebook with one code cell."""
    return tiny_course.notebook(text).encode()


def tree(root, files):
    """Write files below a folder; text stands for the code of a notebook."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else cells(content))
    return root


def zipped(path, files):
    """Write a zip; names are taken as they are."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files if isinstance(files, list) else files.items():
            info = name if isinstance(name, zipfile.ZipInfo) else zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, content if isinstance(content, bytes) else cells(content))
    return path


def tarred(path, files, mode="w:gz"):
    """Write a tar; names are taken as they are."""
    with tarfile.open(path, mode) as archive:
        for name, content in files.items() if isinstance(files, dict) else files:
            if isinstance(name, tarfile.TarInfo):
                archive.addfile(name)
                continue
            data = content if isinstance(content, bytes) else cells(content)
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path


def zip_link(name, target):
    """Return a zip member that is a symbolic link, with its target."""
    info = zipfile.ZipInfo(name)
    info.create_system, info.external_attr = 3, 0o120777 << 16
    return info, target.encode()


def tar_link(name, target, kind=tarfile.SYMTYPE):
    """Return a tar member that is a link."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info, b""
