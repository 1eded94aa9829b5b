"""The content of a file as UTF-8 text: unpacked, its encoding recognised; what is no text is refused with what it is."""

from __future__ import annotations

import codecs
import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path

from bench.errors import InputError

GZIP, PARQUET = b"\x1f\x8b", b"PAR1"
_BYTE_ORDER_MARKS = {  # those of UTF-32 begin with those of UTF-16
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_NO_TEXT = {
    b"PK\x03\x04": "an Excel workbook or a zip archive: save the sheet as CSV, or unpack the archive",
    b"\xd0\xcf\x11\xe0": "an Excel workbook: save the sheet as CSV",
    b"ARROW1": "an Arrow file: save it as Parquet",
    b"SQLite format 3": "an SQLite database: export the table as CSV",
    b"\x89HDF": "an HDF5 file: save the table as Parquet",
    b"\x93NUMPY": "a numpy array: save X and y together as .npz",
    b"\x80\x04": "a pickle: save the table as Parquet",
    b"\x80\x05": "a pickle: save the table as Parquet",
    b"%PDF": "a PDF: save the table as CSV",
    b"BZh": "a bzip2 archive: unpack it",
    b"\xfd7zXZ": "an xz archive: unpack it",
    b"\x28\xb5\x2f\xfd": "a zstd archive: unpack it",
    b"version https://git-lfs": "a pointer of Git LFS: get the data with git lfs pull",
    b"<!DOCTYPE": "a web page: download the data itself",
    b"<!doctype": "a web page: download the data itself",
    b"<html": "a web page: download the data itself",
}
"""First bytes of files that are no text, what they are, and how to fix it."""


@dataclass(frozen=True)
class FileContent:
    """Text in UTF-8 without a byte order mark, the name of its encoding in the file, and what was found out on the way."""

    utf8: bytes
    encoding: str = "utf-8"
    notes: tuple[str, ...] = ()


def read_file(path: Path) -> tuple[bytes, bool]:
    """Return the bytes of a file, unpacked, and whether gzip had packed them; an InputError if it is empty or unreadable."""
    try:
        content = path.read_bytes()
        packed = content.startswith(GZIP)
        if packed:
            content = gzip.decompress(content)
    except FileNotFoundError:
        raise InputError(f"{path}: there is no such file; check the path") from None
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise InputError(f"{path}: the gzip archive is cut off or damaged; copy or download it again") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}; check the path and its permissions") from None
    if not content.strip():
        what = "is empty (0 bytes)" if not content else "holds blank lines alone"
        raise InputError(f"{path}: the file {what}; copy or download it again")
    return content, packed


def decode(path: Path, content: bytes) -> FileContent:
    """Return the text of a file in UTF-8, with a note if it was in another encoding.

    UTF-8, UTF-16 and UTF-32 are recognised; bytes that are none of them are read as Windows-1252, a superset of Latin-1, and
    a note says so. A file in which lines of UTF-8 and others stand side by side, or with NUL bytes, is refused.
    """
    for signature, description in _NO_TEXT.items():
        if content.startswith(signature):
            raise InputError(f"{path}: the file is {description}")
    encoding = next((name for mark, name in _BYTE_ORDER_MARKS.items() if content.startswith(mark)), "")
    if encoding == "utf-8-sig":
        content = content.removeprefix(codecs.BOM_UTF8)
    elif encoding or (encoding := _recognise_utf16(content)):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            raise InputError(
                f"{path}: the {encoding.upper()} text is cut off or damaged; copy or download it again"
            ) from None
        content = text.encode()
    if b"\0" in content:
        line = content.count(b"\n", 0, content.index(b"\0")) + 1
        raise InputError(
            f"{path}:{line}: the line holds a NUL byte, so the file is damaged or no text; copy it again, or remove them with "
            "tr -d '\\000'"
        )
    try:
        content.decode()  # checks alone
    except UnicodeDecodeError as error:
        return _decode_single_bytes(path, content, error.start)
    notes = (f"the file is encoded in {encoding.upper()}",) if encoding.startswith(("utf-16", "utf-32")) else ()
    return FileContent(content, encoding or "utf-8", notes)


def _recognise_utf16(content: bytes) -> str:
    """Return the kind of UTF-16 without a byte order mark, in which every other byte of plain text is NUL; else nothing."""
    sample = content[:2000]
    for name, zeros, others in (("utf-16-le", sample[1::2], sample[::2]), ("utf-16-be", sample[::2], sample[1::2])):
        if zeros.count(0) > 0.8 * len(zeros) and others.count(0) == 0:
            return name
    return ""


def _decode_single_bytes(path: Path, content: bytes, at: int) -> FileContent:
    """Return text with a byte per character; `at` is the first byte that is no UTF-8."""
    line = content.count(b"\n", 0, at) + 1
    for number, other in enumerate(content.split(b"\n"), start=1):
        if not other.isascii() and _is_utf8(other):
            raise InputError(
                f"{path}: line {number} is UTF-8 and line {line} is not (byte 0x{content[at]:02x}), so the file mixes encodings; "
                "save all of it as UTF-8"
            )
    for encoding in ("cp1252", "latin-1"):  # the second one has a character for every byte
        try:
            text = content.decode(encoding)
            break
        except UnicodeDecodeError:
            continue
    note = f"line {line} is not UTF-8 (byte 0x{content[at]:02x}), so the file is read as {encoding.upper()}"
    return FileContent(text.encode(), encoding, (f"{note}; save it as UTF-8 if letters look wrong",))


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True
