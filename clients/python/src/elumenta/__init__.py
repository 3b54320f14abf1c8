"""Calls an Elumenta server. Types and methods are generated from the server's OpenAPI document; this needs the standard library alone."""

from __future__ import annotations

from typing import Optional

from . import types
from ._operations import Operations
from ._stream import Stream
from ._transport import ElumentaError

__all__ = ["Client", "ElumentaError", "Stream", "types"]


class Client(Operations):
    """Calls a server with a key: ``Client("http://127.0.0.1:8080", key)``.

    Errors of the server are an :class:`ElumentaError`. What breaks the connection is an ``OSError``, and a ``TimeoutError`` where the server was silent
    for ``timeout`` seconds. Nothing is repeated. Several threads may use a client at once.
    """

    def generate_stream(
        self, body: types.GenerateRequest, *, idempotency_key: Optional[str] = None, timeout: Optional[float] = None
    ) -> Stream:
        """Generate an answer and read it as it comes::

            with client.generate_stream({"assistant_id": id, "prompt": "Hello"}) as stream:
                for event in stream:
                    if event["type"] == "content_delta":
                        print(event["delta"], end="")
        """
        return Stream(self._open(
            "POST", "/api/v2/generate", query={}, body={**body, "stream": True}, headers={"Idempotency-Key": idempotency_key},
            timeout=timeout, accept="text/event-stream",
        ))
