"""Runs against the program that BASE_URL names; TestOwnClients in e2e starts it."""

from __future__ import annotations

import os
import unittest
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Event, Thread
from typing import Optional

from elumenta import Client, ElumentaError, types

UNKNOWN = "asst_01h455vb4pex5vsknk084sn02q"
LONG = "sandbox:long 100000"

client = Client(os.environ["BASE_URL"] + "/", os.environ["API_KEY"])


def create(name: str) -> types.Assistant:
    return client.create_assistant({
        "name": name, "model": "sandbox", "instructions": "You help {{who}}.", "variables": [{"name": "who", "default": "everyone"}],
    })


class ClientTest(unittest.TestCase):
    def fails(self, code: str, status: int, error: Optional[BaseException]) -> ElumentaError:
        assert isinstance(error, ElumentaError), error
        self.assertEqual((error.code, error.status), (code, status))
        return error

    def test_assistants(self) -> None:
        made = create("Python bot")
        self.assertEqual((made["version"], made["visibility"], made["temperature"]), (1, "private", None))
        changed = client.update_assistant(made["id"], {"temperature": 0, "note": "calmer"}, if_match=1)
        self.assertEqual((changed["version"], changed["temperature"], changed["name"]), (2, 0, "Python bot"))
        self.assertIsNone(client.update_assistant(made["id"], {"temperature": None})["temperature"])
        with self.assertRaises(ElumentaError) as late:
            client.update_assistant(made["id"], {"name": "Late"}, if_match=1)
        self.fails("version_conflict", 412, late.exception)
        self.assertEqual(client.get_assistant(made["id"])["version"], 3)
        self.assertEqual(client.set_label(made["id"], "production", {"version": 2})["split"], [{"version": 2, "weight": 1}])
        self.assertEqual(client.get_version(made["id"], 2)["note"], "calmer")
        client.delete_assistant(made["id"])
        with self.assertRaises(ElumentaError) as gone:
            client.get_assistant(made["id"])
        self.fails("not_found", 404, gone.exception)

    def test_pages(self) -> None:
        made = [create(f"Page {i}")["id"] for i in range(5)]
        page = client.list_assistants(q="Page", limit=2)
        self.assertEqual(len(page["items"]), 2)
        self.assertIsNotNone(page["next_cursor"])
        self.assertEqual([a["id"] for a in client.list_assistants_all(q="Page", limit=2)], made[::-1])
        with self.assertRaises(ElumentaError) as nonsense:
            list(client.list_assistants_all(cursor="nonsense"))
        self.fails("bad_request", 400, nonsense.exception)

    def test_generate(self) -> None:
        bot = create("Answers")["id"]
        answer = client.generate({
            "assistant_id": bot, "variables": {"who": "people"},
            "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}],
        }, idempotency_key="python-1")
        self.assertTrue(answer["content"].endswith("Your last message was: Hello"), answer)
        self.assertEqual((answer["assistant_id"], answer["finish_reason"]), (bot, "stop"))
        text, others = "", list[str]()
        with client.generate_stream({"assistant_id": bot, "prompt": "Hello"}) as stream:
            for event in stream:
                if event["type"] == "content_delta":
                    text += event["delta"]
                else:
                    others.append(event["type"])
        self.assertTrue(text.endswith("Your last message was: Hello"), text)
        self.assertEqual(others, ["generation_start", "generation_end"])

    def test_errors(self) -> None:
        with self.assertRaises(ElumentaError) as unknown:
            client.generate({"assistant_id": UNKNOWN, "prompt": "Hello"})
        error = self.fails("not_found", 404, unknown.exception)
        self.assertTrue(error.request_id.startswith("req_") and error.message and error.request_id in str(error), error)
        self.assertIsNone(error.retry_after)
        with self.assertRaises(ElumentaError) as busy:
            client.generate({"model": "sandbox", "prompt": "sandbox:error 429"})
        self.assertGreater(self.fails("model_unavailable", 503, busy.exception).retry_after or 0, 0)
        with self.assertRaises(ElumentaError) as invalid:
            client.create_assistant({"name": "", "model": "sandbox", "instructions": "x"})
        self.assertEqual(self.fails("validation_error", 422, invalid.exception).details["fields"][0]["field"], "name")
        with self.assertRaises(ElumentaError) as before:
            client.generate_stream({"assistant_id": UNKNOWN, "prompt": "Hello"})
        self.fails("not_found", 404, before.exception)
        pieces = 0
        with self.assertRaises(ElumentaError) as within, client.generate_stream({"model": "sandbox", "prompt": "sandbox:cut"}) as stream:
            for event in stream:
                pieces += event["type"] == "content_delta"
        self.fails("provider_error", 200, within.exception)
        self.assertGreater(pieces, 0)

    def test_abort(self) -> None:
        with client.generate_stream({"model": "sandbox", "prompt": LONG}) as stream:
            self.assertEqual([next(stream)["type"], next(stream)["type"]], ["generation_start", "content_delta"])
        self.assertEqual(list(stream), [])  # nothing follows
        with self.assertRaises(TimeoutError):
            client.generate({"model": "sandbox", "prompt": "sandbox:slow 5m"}, timeout=0.05)
        self.assertEqual(client.get_user()["plan"], client.get_user()["plan"])

    def test_foreign_answers(self) -> None:
        hung_up = Event()

        class Proxy(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(302 if self.path.endswith("/balance") else 502)
                self.send_header("Location", os.environ["BASE_URL"])
                self.send_header("Retry-After", "7")
                self.end_headers()
                self.wfile.write(b"<html>Bad gateway")

            def do_POST(self) -> None:
                endless = self.headers["Idempotency-Key"] == "endless"
                self.send_response(200)
                self.end_headers()
                self.wfile.write(b'data: {"type": "news"}\n\n')
                if endless:
                    self.wfile.write(b'data: {"type": "content_delta", "delta": "Hello"}\n\n')
                    self.rfile.read(int(self.headers["Content-Length"]))
                    self.rfile.read(1)  # until the client hangs up
                    hung_up.set()
                elif self.headers["Idempotency-Key"] == "cut":
                    self.wfile.write(b'data: {"type": "cont')

            def log_message(self, format: str, *args: object) -> None:
                pass

        server = HTTPServer(("127.0.0.1", 0), Proxy)
        Thread(target=server.serve_forever, daemon=True).start()
        proxied = Client(f"http://127.0.0.1:{server.server_port}", "nb_key")
        with self.assertRaises(ElumentaError) as page:
            proxied.get_user()
        self.assertEqual(self.fails("", 502, page.exception).retry_after, 7)
        with self.assertRaises(ElumentaError) as elsewhere:  # the key goes nowhere else
            proxied.get_balance()
        self.fails("", 302, elsewhere.exception)
        with self.assertRaises(ConnectionError), proxied.generate_stream({"prompt": "Hello"}) as stream:
            self.assertEqual(list(stream), [])
        with self.assertRaises(ConnectionError), proxied.generate_stream({"prompt": "Hello"}, idempotency_key="cut") as stream:
            self.assertEqual(list(stream), [])
        with proxied.generate_stream({"prompt": "Hello"}, idempotency_key="endless") as stream:
            self.assertEqual(next(stream)["type"], "content_delta")
            waits = Thread(target=lambda: list(stream))  # for an event that does not come, until another thread closes the stream
            waits.start()
        waits.join()
        hung_up.wait()
        hung_up.clear()
        for _ in proxied.generate_stream({"prompt": "Hello"}, idempotency_key="endless"):
            break
        hung_up.wait()
        server.shutdown()
        server.server_close()
        with self.assertRaises(OSError):
            proxied.get_user()


if __name__ == "__main__":
    unittest.main()
