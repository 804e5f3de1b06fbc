"""Files of a page, held in memory: compressed once, revalidated by ETag, read again when they change on disk."""

import gzip
import hashlib
import mimetypes
from collections.abc import Callable
from pathlib import Path

from sanic import Blueprint, Request
from sanic.response import HTTPResponse, raw

STAFF_STYLES = Path(__file__).with_name("staff.css")  # shared by the pages of the staff
TYPES = {
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".webmanifest": "application/manifest+json",
}


class PageFile:
    """One file. `change` may turn its text into what is sent, such as filling in the hospital's name."""

    def __init__(self, path: Path, change: Callable[[str], str] | None = None, suffix: str = "") -> None:
        self._path = path
        self._change = change
        self._modified = 0.0
        self._content = b""
        self._zipped = b""
        self._etag = ""
        suffix = suffix or path.suffix
        self._type = TYPES.get(suffix) or mimetypes.types_map.get(suffix, "application/octet-stream")

    def respond(self, request: Request) -> HTTPResponse:
        """Give the file, or 304 when the browser has it."""
        self._read()
        headers = {"etag": self._etag, "cache-control": "no-cache", "vary": "accept-encoding"}
        if self._etag in (request.headers.get("if-none-match") or ""):
            return HTTPResponse(status=304, headers=headers)
        if "gzip" in (request.headers.get("accept-encoding") or ""):
            return raw(self._zipped, headers={**headers, "content-encoding": "gzip"}, content_type=self._type)
        return raw(self._content, headers=headers, content_type=self._type)

    def _read(self) -> None:
        modified = self._path.stat().st_mtime
        if modified == self._modified:
            return
        content = self._path.read_bytes()
        if self._change:
            content = self._change(content.decode("utf-8")).encode("utf-8")
        self._content, self._zipped = content, gzip.compress(content, 9)
        self._etag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
        self._modified = modified


def add_file(blueprint: Blueprint, uri: str, file: PageFile) -> None:
    """Serve `file` at `uri`."""

    async def serve(request: Request) -> HTTPResponse:
        return file.respond(request)

    name = "file_" + "".join(c if c.isalnum() else "_" for c in uri)
    blueprint.add_route(serve, uri, methods=["GET"], name=name)


def add_folder(blueprint: Blueprint, uri: str, folder: Path) -> None:
    """Serve every file of a known type right in `folder` at `uri`/name; what is not there at start is not served."""
    for path in sorted(folder.iterdir()):
        if path.is_file() and path.suffix in TYPES:
            add_file(blueprint, f"{uri.rstrip('/')}/{path.name}", PageFile(path))
