"""The life of an assistant with requests: create, use, browse, list, change, delete.

    ELUMENTA_API_KEY=nb_… python3 examples/python/quickstart.py

ELUMENTA_URL names another server than http://127.0.0.1:8080, ELUMENTA_MODEL another model than the built-in sandbox.
"""

import json
import os

import requests

BASE = os.environ.get("ELUMENTA_URL", "http://127.0.0.1:8080") + "/api/v2"
MODEL = os.environ.get("ELUMENTA_MODEL", "sandbox")
HEADERS = {"Authorization": f"Bearer {os.environ['ELUMENTA_API_KEY']}"}


def checked(response):
    """Returns the answer, or ends with what the server says is wrong."""
    if not response.ok:
        raise SystemExit(f"{response.status_code}: {response.text}")
    return response


print("== Create an assistant")
response = requests.post(
    f"{BASE}/assistants",
    headers=HEADERS,
    json={
        "name": "Customer Support Bot",
        "model": MODEL,
        "instructions": "You are a helpful customer support agent. Be short and friendly.",
        "description": "Handles customer support queries",
    },
    timeout=30,
)
assistant = checked(response).json()
print(assistant["id"])

print("== Generate with it: its instructions come from the server")
response = requests.post(
    f"{BASE}/generate",
    headers=HEADERS,
    json={
        "assistant_id": assistant["id"],
        "messages": [{"role": "user", "content": "How do I reset my password?"}],
    },
    timeout=120,
)
generation = checked(response).json()
print(generation["content"])
print("tokens spent:", generation["tokens_spent"], "finish reason:", generation["finish_reason"])

print("== The same as a stream")
with requests.post(
    f"{BASE}/generate",
    headers=HEADERS,
    json={"assistant_id": assistant["id"], "prompt": "And my user name?", "stream": True},
    stream=True,
    timeout=120,
) as response:
    checked(response).encoding = "utf-8"
    for line in response.iter_lines(decode_unicode=True):
        if not line.startswith("data: ") or line == "data: [DONE]":
            continue
        event = json.loads(line.removeprefix("data: "))
        if event["type"] == "content_delta":
            print(event["delta"], end="", flush=True)
        elif event["type"] == "error":
            raise SystemExit(event["message"])
print()

print("== Browse the marketplace")
response = requests.get(
    f"{BASE}/assistants/marketplace",
    headers=HEADERS,
    params={"category": "productivity", "limit": 10},
    timeout=30,
)
for item in checked(response).json()["items"]:
    print(item["id"], item["name"])

print("== List your own")
response = requests.get(f"{BASE}/assistants", headers=HEADERS, timeout=30)
for item in checked(response).json()["items"]:
    print(item["id"], item["name"])

print("== Change one field; the others stay")
response = requests.put(
    f"{BASE}/assistants/{assistant['id']}",
    headers=HEADERS,
    json={"instructions": "You are a helpful customer support agent. Answer in one sentence."},
    timeout=30,
)
updated = checked(response).json()
print("version", updated["version"], "of", updated["name"])

print("== Delete it")
checked(requests.delete(f"{BASE}/assistants/{assistant['id']}", headers=HEADERS, timeout=30))
print("deleted", assistant["id"])
