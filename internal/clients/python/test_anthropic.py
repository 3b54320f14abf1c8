"""Anthropic's own client: only the base URL, the key and the model are ours. It checks each answer against its types."""

import asyncio
import os
import unittest

import anthropic
from pydantic import BaseModel

BASE_URL = os.environ["BASE_URL"]
API_KEY = os.environ["API_KEY"]
ASSISTANT = os.environ["ASSISTANT"]
IMAGE = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
QUESTION = [{"role": "user", "content": "What is the weather in Paris?"}]
RESULT = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "call_1", "content": "21 degrees"}]}
TOOL = {"name": "get_weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}


class Word(BaseModel):
    word: str


def client(kind=anthropic.Anthropic, **options):
    return kind(**{"base_url": BASE_URL, "api_key": API_KEY, "max_retries": 0, "_strict_response_validation": True, **options})


def ask(content, **more):
    return {"model": ASSISTANT, "max_tokens": 100, "messages": [{"role": "user", "content": content}], **more}


def fields(answer):
    """What the server left out of a request."""
    return [warning["field"] for warning in answer.elumenta["warnings"]]


class Messages(unittest.TestCase):
    def test_whole(self):
        answer = client().messages.create(**ask("Hello"))
        self.assertEqual([block.text for block in answer.content], ["Hello from upstream"])
        self.assertEqual((answer.stop_reason, answer.usage.output_tokens), ("end_turn", 4))
        self.assertRegex(answer._request_id, "^req_")
        self.assertEqual(client().beta.messages.create(**ask("Hello", betas=["some-beta-2026-01-01"])).content[0].text, "Hello from upstream")

    def test_bearer_key(self):
        self.assertEqual(client(api_key=None, auth_token=API_KEY).messages.create(**ask("Hello")).content[0].text, "Hello from upstream")

    def test_stream(self):
        kinds = [event.type for event in client().messages.create(**ask("Hello", stream=True))]
        self.assertEqual((kinds[0], kinds[-2:]), ("message_start", ["message_delta", "message_stop"]))
        with client().messages.stream(**ask("Hello")) as stream:
            self.assertEqual(list(stream.text_stream), ["Hello ", "from upstream"])
            self.assertEqual(stream.get_final_message().usage.output_tokens, 4)
            self.assertRegex(stream.request_id, "^req_")

    def test_tools_over_several_turns(self):
        for stream in (False, True):
            messages = list(QUESTION)

            def turn():
                request = {"model": ASSISTANT, "max_tokens": 100, "messages": messages, "tools": [TOOL]}
                if not stream:
                    return client().messages.create(**request)
                with client().messages.stream(**request) as events:
                    return events.get_final_message()

            called = turn()
            call = called.content[0]
            self.assertEqual((called.stop_reason, call.id, call.name, call.input), ("tool_use", "call_1", "get_weather", {"city": "Paris"}))
            messages += [{"role": "assistant", "content": called.content}, RESULT]
            self.assertEqual(turn().content[0].text, "It is 21 degrees")

    def test_tool_runner(self):
        asked = []

        @anthropic.beta_tool
        def get_weather(city: str) -> str:
            """The weather."""
            asked.append(city)
            return "21 degrees"

        runner = client().beta.messages.tool_runner(model=ASSISTANT, max_tokens=100, messages=QUESTION, tools=[get_weather])
        self.assertEqual((runner.until_done().content[0].text, asked), ("It is 21 degrees", ["Paris"]))

    def test_what_was_parsed_goes_back(self):
        answer = client().messages.parse(**ask("A word", output_format=Word))
        self.assertEqual(answer.parsed_output, Word(word="Hello"))
        called = client().messages.create(model=ASSISTANT, max_tokens=100, messages=QUESTION, tools=[TOOL])
        for dump in (lambda block: block, lambda block: block.model_dump()):
            said = [{"role": "assistant", "content": [dump(block) for block in message.content]} for message in (called, answer)]
            messages = [*QUESTION, said[0], RESULT, said[1], {"role": "user", "content": "Hello"}]
            again = client().messages.create(model=ASSISTANT, max_tokens=100, messages=messages, tools=[])
            self.assertEqual((again.content[0].text, fields(again)), ("Hello from upstream", []))

    def test_image(self):
        content = [{"type": "text", "text": "What is it?"}, {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": IMAGE}}]
        self.assertEqual(client().messages.create(**ask(content)).content[0].text, "An image")

    def test_thinking(self):
        with client().messages.stream(**ask("Think", max_tokens=2000, thinking={"type": "enabled", "budget_tokens": 1024})) as stream:
            thought, text = stream.get_final_message().content
        self.assertEqual((thought.thinking, text.text), ("Hm.", "Thought"))

    def test_models(self):
        ids = [model.id for model in client().models.list(limit=1)]
        self.assertLess({"test", ASSISTANT}, set(ids))
        self.assertEqual(client().models.retrieve(ASSISTANT).display_name, "Bot")


class Errors(unittest.TestCase):
    def fails(self, kind, name, call, *args, **more):
        with self.assertRaises(kind) as caught:
            call(*args, **more)
        self.assertEqual(caught.exception.type, name)
        self.assertRegex(caught.exception.request_id, "^req_")
        return caught.exception

    def test_classes_and_types(self):
        create = client().messages.create
        self.fails(anthropic.AuthenticationError, "authentication_error", client(api_key="nb_wrong").messages.create, **ask("Hello"))
        self.fails(anthropic.NotFoundError, "not_found_error", create, **ask("Hello", model="no-such-model"))
        self.fails(anthropic.BadRequestError, "invalid_request_error", create, **ask("Hello", extra_body={"temperature": 9}))
        self.fails(anthropic.NotFoundError, "not_found_error", client().messages.count_tokens, model=ASSISTANT, messages=QUESTION)
        self.fails(anthropic.NotFoundError, "not_found_error", client().messages.batches.retrieve, "msgbatch_1")
        error = self.fails(anthropic.APIStatusError, "billing_error", client(api_key=os.environ["POOR_KEY"], max_retries=2).messages.create, **ask("Hello"))
        self.assertEqual(error.status_code, 402)

    def test_fault_is_retried(self):
        raw = client(max_retries=2).messages.with_raw_response.create(**ask("Fail once, anthropic " + anthropic.__version__))
        self.assertEqual((raw.parse().content[0].text, raw.retries_taken), ("Hello from upstream", 1))

    def test_fault_in_mid_stream(self):
        self.fails(anthropic.APIStatusError, "api_error", list, client().messages.create(**ask("Break off", stream=True)))


class Leaving(unittest.TestCase):
    def test_stream_is_closed(self):
        with client().messages.stream(**ask("Never end")) as stream:
            self.assertEqual(next(iter(stream.text_stream)), "Once upon")
        self.assertTrue(stream.response.is_closed)

    def test_call_is_cancelled(self):
        async def run():
            async with client(anthropic.AsyncAnthropic) as c:
                async with c.messages.stream(**ask("Never end")) as stream:
                    async for text in stream.text_stream:
                        self.assertEqual(text, "Once upon")
                        break
                return (await c.messages.create(**ask("Hello"))).content[0].text

        self.assertEqual(asyncio.run(run()), "Hello from upstream")


if __name__ == "__main__":
    unittest.main()
