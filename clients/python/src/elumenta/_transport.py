"""Calls over HTTP, with the standard library."""

from __future__ import annotations

import json
import socket
import ssl
import urllib.error
import urllib.request
from contextlib import contextmanager
from email.message import Message
from http.client import HTTPException, HTTPMessage, HTTPResponse
from typing import IO, Any, Callable, Generator, Iterator, Mapping, Optional, cast
from urllib.parse import quote, urlencode

_MAX_ERROR = 1 << 20  # the most that is read of an error's body, in bytes


class ElumentaError(Exception):
    """What the server answers when a call fails, or when an answer breaks off in mid-stream."""

    code: str
    """For programs, one of ``types.ErrorCode``; empty where a proxy answered, and not the server."""
    message: str
    """For people."""
    details: dict[str, Any]
    """With ``validation_error``: fields, each with field and reason."""
    status: int
    """Of HTTP; 200 where the stream had begun."""
    request_id: str
    """Finds the call in the server's log."""
    retry_after: Optional[int]
    """How many seconds to wait before the next try, if the server said so."""
    tokens_spent: int
    """What the part of an answer cost that came before a stream broke off."""

    def __init__(self, status: int, body: Mapping[str, Any], headers: Optional[Message] = None) -> None:
        headers = headers or Message()
        self.code = body.get("error") or ""
        self.message = body.get("message") or ""
        self.details = body.get("details") or {}
        self.status = status
        self.request_id = body.get("request_id") or headers.get("X-Request-Id") or ""
        wait = headers.get("Retry-After") or ""
        self.retry_after = int(wait) if wait.isdigit() else None
        self.tokens_spent = body.get("tokens_spent") or 0
        super().__init__(f"{self.code}: {self.message} ({self.request_id})" if self.code else f"the server answered {status}")


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A key goes nowhere but to its server."""

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: HTTPMessage, newurl: str
    ) -> None:
        return None


class Transport:
    """Makes calls, each over a connection of its own, so that it may be used by several threads at once."""

    def __init__(self, server: str, key: str, *, timeout: float = 600, ssl_context: Optional[ssl.SSLContext] = None) -> None:
        self._server = server.rstrip("/")
        self._key = key
        self._timeout = timeout
        self._opener = urllib.request.build_opener(_NoRedirect, urllib.request.HTTPSHandler(context=ssl_context))

    def _open(
        self, method: str, path: str, *, query: Mapping[str, object], body: object, headers: Mapping[str, object],
        timeout: Optional[float], accept: str = "application/json",
    ) -> HTTPResponse:
        asked = {name: value for name, value in query.items() if value is not None}
        address = self._server + path + ("?" + urlencode(asked) if asked else "")
        request = urllib.request.Request(address, method=method, headers={"Authorization": "Bearer " + self._key, "Accept": accept})
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        for name, value in headers.items():
            if value is not None:
                request.add_header(name, f'"{value}"' if name == "If-Match" else str(value))
        try:
            return cast(HTTPResponse, self._opener.open(request, timeout=self._timeout if timeout is None else timeout))
        except urllib.error.HTTPError as e:
            with e:
                raise ElumentaError(e.code, _object(e.read(_MAX_ERROR)), e.headers) from None
        except urllib.error.URLError as e:
            if isinstance(e.reason, socket.timeout):
                raise TimeoutError(str(e.reason)) from e
            raise
        except socket.timeout as e:
            raise TimeoutError(str(e)) from e

    def _call(
        self, method: str, path: str, *, query: Mapping[str, object] = {}, body: object = None,
        headers: Mapping[str, object] = {}, timeout: Optional[float] = None,
    ) -> Any:
        with self._open(method, path, query=query, body=body, headers=headers, timeout=timeout) as response:
            with reading():
                answer = response.read()
        return json.loads(answer) if answer else None

    @staticmethod
    def _all(cursor: Optional[str], page: Callable[[Optional[str]], Any]) -> Iterator[Any]:
        while True:
            answer = page(cursor)
            yield from answer["items"]
            cursor = answer["next_cursor"]
            if cursor is None:
                return


@contextmanager
def reading() -> Generator[None, None, None]:
    """Makes one kind of error of what the versions of Python raise while an answer is read."""
    try:
        yield
    except socket.timeout as e:  # before Python 3.10 another class than TimeoutError
        raise TimeoutError(str(e)) from e
    except HTTPException as e:
        raise ConnectionError("the answer broke off") from e


def path(template: str, **values: object) -> str:
    """A path with values in it."""
    return template.format(**{name: quote(str(value), safe="") for name, value in values.items()})


def _object(raw: bytes) -> Mapping[str, Any]:
    try:
        value = json.loads(raw)
    except ValueError:
        return {}  # a proxy's page
    return cast("dict[str, Any]", value) if isinstance(value, dict) else {}
