"""Stands in for OpenAI's Python client, which tests cannot install: the arguments of a call are the body of its request."""

import json
from types import SimpleNamespace

import requests


def _object(value):
    if isinstance(value, dict):
        return SimpleNamespace(**{name: _object(member) for name, member in value.items()})
    return [_object(item) for item in value] if isinstance(value, list) else value


class OpenAI:
    def __init__(self, *, base_url, api_key):
        self._base_url, self._api_key = base_url, api_key
        self.chat = SimpleNamespace(completions=SimpleNamespace(create=self._create))

    def _create(self, *, model, messages, extra_body=None, **settings):
        answer = requests.post(
            self._base_url + "/chat/completions",
            headers={"Authorization": "Bearer " + self._api_key},
            json={"model": model, "messages": messages, **settings, **(extra_body or {})},
            stream=settings.get("stream", False),
            timeout=60,
        )
        answer.raise_for_status()
        return self._chunks(answer) if settings.get("stream") else _object(answer.json())

    @staticmethod
    def _chunks(answer):
        for line in answer.iter_lines():
            if line.startswith(b"data: ") and line != b"data: [DONE]":
                chunk = json.loads(line[6:])
                for choice in chunk["choices"]:
                    choice["delta"].setdefault("content", None)
                yield _object(chunk)
