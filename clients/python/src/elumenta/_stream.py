"""Streams of events."""

from __future__ import annotations

import json
from http.client import HTTPResponse
from typing import Any, Iterator, Optional, cast

from . import types
from ._transport import ElumentaError, reading

_KNOWN = ("generation_start", "content_delta", "generation_end")


class Stream(Iterator[types.StreamEvent]):
    """The events of an answer as they come: a ``generation_start`` first, a ``content_delta`` for each piece, a ``generation_end`` last.

    Leave the ``with`` block, or call ``close``, and the generation ends.
    """

    def __init__(self, response: HTTPResponse) -> None:
        self._response = response
        self._events = self._read()

    def __next__(self) -> types.StreamEvent:
        return next(self._events)

    def __enter__(self) -> Stream:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the generation, if it still runs."""
        self._events.close()
        self._response.close()

    def _read(self) -> Any:
        with self._response:
            while True:
                data = self._line()
                if data == "[DONE]":
                    return
                event = cast("dict[str, Any]", json.loads(data))
                kind: Optional[str] = event.get("type")
                if kind == "error":
                    raise ElumentaError(200, event)
                if kind in _KNOWN:  # a newer server may have others
                    yield cast(types.StreamEvent, event)

    def _line(self) -> str:
        """The next line of data. Others are empty, or comments that keep the connection open."""
        while True:
            with reading():
                line = self._response.readline()
            if not line:
                raise ConnectionError("the answer broke off")
            if line.startswith(b"data: "):
                return line[6:].decode().rstrip("\r\n")
