"""Streams of events."""

from __future__ import annotations

import json
import socket
from http.client import HTTPResponse
from threading import RLock
from typing import Any, Iterator, Optional, cast

from . import types
from ._transport import ElumentaError, reading

_KNOWN = ("generation_start", "content_delta", "generation_end")


class Stream(Iterator[types.StreamEvent]):
    """The events of an answer as they come: a ``generation_start`` first, a ``content_delta`` for each piece, a ``generation_end`` last.

    Leave the ``with`` block, or call ``close`` from any thread, and the generation ends, and with it the loop.
    """

    def __init__(self, response: HTTPResponse) -> None:
        self._response = response
        self._closed = False
        self._reads = RLock()

    def __next__(self) -> types.StreamEvent:
        while not self._closed:
            data = self._line()
            if data is None or data == "[DONE]":
                self.close()
                break
            event = cast("dict[str, Any]", json.loads(data))
            kind: Optional[str] = event.get("type")
            if kind == "error":
                self.close()
                raise ElumentaError(200, event)
            if kind in _KNOWN:  # a newer server may have others
                return cast(types.StreamEvent, event)
        raise StopIteration

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the generation, if it still runs."""
        if self._closed:
            return
        self._closed = True
        if not self._response.isclosed():
            connection = socket.socket(fileno=self._response.fileno())
            try:
                connection.shutdown(socket.SHUT_RDWR)  # wakes a thread that waits for the next event
            except OSError:
                pass  # the server was faster
            finally:
                connection.detach()
        with self._reads:
            self._response.close()

    def _line(self) -> Optional[str]:
        """The next line of data, or None where the stream was closed. Other lines are empty, or comments that keep the connection open."""
        while True:
            try:
                with self._reads, reading():
                    line = self._response.readline()
                if not line.endswith(b"\n"):  # also in the middle of an event
                    raise ConnectionError("the answer broke off")
            except (OSError, ValueError):
                if self._closed:
                    return None
                self.close()
                raise
            if line.startswith(b"data: "):
                return line[6:].decode().rstrip("\r\n")
