"""Rows of EPUB books (EPUB 3.3): the chapters in reading order, each with the book's title and its own."""

from __future__ import annotations

import codecs
import posixpath
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import unquote
from xml.parsers import expat

from atanor.data import limits
from atanor.data.containers.encodings import UTF8, known_encoding, marked_encoding
from atanor.data.containers.lines import readable
from atanor.data.containers.markup import page_of
from atanor.data.records import CHAPTER_COLUMN, TEXT_COLUMN, TITLE_COLUMN, Record
from atanor.data.refusals import refusal_of, row_error
from atanor.data.rows import Refusal
from atanor.data.sources import Source
from atanor.errors import DataError

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_CHAPTER_TYPES = ("application/xhtml+xml", "text/html")
_DECLARED = re.compile(rb"""\A\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_PIECE = 1 << 16
_DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, RuntimeError, struct.error, OverflowError)
"""What `zipfile` raises on files that are damaged, encrypted or packed in a way it does not know."""


@dataclass
class _Book:
    """What the package document says.

    Attributes:
        title: of the book, or empty.
        files: path in the archive of each content document, by its id.
        spine: ids in reading order.
        locked: paths that are encrypted, as a seller's protection does.
    """

    title: str = ""
    files: dict[str, str] = field(default_factory=dict)
    spine: list[str] = field(default_factory=list)
    locked: frozenset[str] = frozenset()


def read_epub(source: Source) -> Iterator[Record | Refusal]:
    """One row for each chapter that holds text; its line is its place in the reading order, from 1.

    The table of contents and pages of nothing but pictures are no rows.

    Raises:
        DataError: the file is not an EPUB, is damaged, or is larger inside than it may be.
    """
    try:
        with zipfile.ZipFile(source.path) as archive:
            entries = _Entries(source, archive)
            book = _book(source, entries)
            for number, identity in enumerate(book.spine, 1):
                if identity in book.files:
                    yield from _chapter(source, entries, book, number)
    except _DAMAGE as error:
        if isinstance(error, DataError):
            raise
        raise source.error(f"not an EPUB that can be read: {error}", fix="Get the book again") from error


class _Entries:
    """The files inside, read within limits. Nothing is unpacked onto the disk, so no name can lead anywhere."""

    def __init__(self, source: Source, archive: zipfile.ZipFile) -> None:
        self._source = source
        self._archive = archive
        self._left = source.options.max_bytes or max(
            limits.RATIO_FROM, min(limits.UNPACKED, limits.RATIO * source.path.stat().st_size)
        )
        names = archive.namelist()
        if len(names) > limits.EPUB_ENTRIES:
            reason = f"the book has {len(names)} files inside, more than {limits.EPUB_ENTRIES}"
            raise source.error(reason, fix="Convert it again, or unpack it and name its folder")
        self.names = frozenset(names)

    def read(self, name: str) -> bytes:
        """The bytes of one file inside, at most one row's worth and one more."""
        content = bytearray()
        with self._archive.open(name) as file:
            while len(content) <= limits.LONGEST_ROW and (piece := file.read(_PIECE)):
                content += piece
                self._left -= len(piece)
                if self._left < 0:
                    fix = "If it is meant to, allow more with `max_bytes:`"
                    raise self._source.error("the book unpacks to more than it may, as a zip bomb does", fix=fix)
        return bytes(content)


def _book(source: Source, entries: _Entries) -> _Book:
    """The reading order, from the package document that the container names."""
    if _CONTAINER not in entries.names:
        raise source.error(f"not an EPUB: it has no {_CONTAINER}", fix="Give a book in the EPUB format")
    roots = [
        tag.attributes.get("full-path", "") for tag in _tags(source, entries, _CONTAINER) if tag.name == "rootfile"
    ]
    if not roots or roots[0] not in entries.names:
        raise source.error("not an EPUB: its container names no package document", fix="Convert the book again")
    book = _Book(locked=_locked(entries))
    folder = posixpath.dirname(roots[0])
    for tag in _tags(source, entries, roots[0]):
        if tag.name == "title" and not book.title:
            book.title = " ".join(tag.text.split())
        elif tag.name == "item" and tag.attributes.get("media-type") in _CHAPTER_TYPES:
            if "nav" not in tag.attributes.get("properties", "").split():
                path = unquote(tag.attributes.get("href", "")).partition("#")[0]
                book.files[tag.attributes.get("id", "")] = posixpath.normpath(posixpath.join(folder, path))
        elif tag.name == "itemref":
            book.spine.append(tag.attributes.get("idref", ""))
    return book


def _locked(entries: _Entries) -> frozenset[str]:
    """The files inside that are encrypted."""
    if _ENCRYPTION not in entries.names:
        return frozenset()
    found = re.findall(rb"""CipherReference\s+URI\s*=\s*["']([^"']*)["']""", entries.read(_ENCRYPTION))
    return frozenset(unquote(readable(uri)) for uri in found)


def _chapter(source: Source, entries: _Entries, book: _Book, number: int) -> Iterator[Record | Refusal]:
    path = book.files[book.spine[number - 1]]
    content = b""
    try:
        if path not in entries.names:
            raise row_error("the chapter is not in the book", value=path, fix="Convert the book again")
        if path in book.locked:
            raise row_error("the chapter is encrypted", value=path, fix="Use a copy without protection")
        content = entries.read(path)
        if len(content) > limits.LONGEST_ROW:
            content = content[: limits.KEPT_OF_LONGER]
            reason = f"the chapter is longer than {limits.LONGEST_ROW >> 20} MiB"
            raise row_error(reason, value=path, fix="Convert the book again with a file for each chapter")
        page = page_of(_decoded(content, path))
    except DataError as error:
        if error.problems and error.problems[0].file is not None:
            raise
        yield refusal_of(error, source.name, number, readable(content))
        return
    if page.text.strip():
        chapter = page.heading or page.title
        fields = {TITLE_COLUMN: book.title, CHAPTER_COLUMN: chapter, TEXT_COLUMN: page.text}
        yield Record(number, page.text, fields)


def _decoded(content: bytes, path: str) -> str:
    """The text of a chapter in the encoding it declares."""
    declared = _DECLARED.match(content)
    encoding = marked_encoding(content) or (known_encoding(declared[1].decode()) if declared else UTF8) or UTF8
    try:
        return content.removeprefix(codecs.BOM_UTF8).decode(encoding)
    except UnicodeDecodeError as error:
        reason = f"the chapter is not {encoding.upper()} text"
        raise row_error(reason, value=path, fix="Convert the book again as UTF-8") from error


@dataclass
class _Tag:
    """An XML element without its namespace, its attributes, and the text in it before its first child ends."""

    name: str
    attributes: dict[str, str]
    text: str = ""


def _tags(source: Source, entries: _Entries, path: str) -> list[_Tag]:
    """The elements of an XML file in order. A file that declares entities is refused: they grow without bound."""
    tags: list[_Tag] = []
    inside: list[_Tag] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        tag = _Tag(name.rpartition(":")[2], attributes)
        tags.append(tag)
        inside.append(tag)

    def end(_: str) -> None:
        inside.pop()

    def text(content: str) -> None:
        if inside:
            inside[-1].text += content

    def refuse(*_: object) -> None:
        raise source.error(f"{path} in it declares XML entities", fix="Convert the book again without them")

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler, parser.CharacterDataHandler = start, end, text
    parser.EntityDeclHandler = refuse
    try:
        parser.Parse(entries.read(path), True)
    except expat.ExpatError as error:
        raise source.error(f"{path} in it is not XML: {error}", fix="Convert the book again") from error
    return tags
