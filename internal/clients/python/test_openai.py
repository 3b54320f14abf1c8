"""OpenAI's own client, of whatever age: only the base URL, the key and the model are ours. It checks each answer against its types."""

import asyncio
import json
import os
import unittest

import openai
from pydantic import BaseModel

BASE_URL = os.environ["BASE_URL"] + "/v1"
API_KEY = os.environ["API_KEY"]
ASSISTANT = os.environ["ASSISTANT"]
PROMPT = os.environ["PROMPT"]
OLD = openai.__version__.startswith("1.")
IMAGE = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
QUESTION = [{"role": "user", "content": "What is the weather in Paris?"}]


class Word(BaseModel):
    word: str


class Weather(BaseModel):
    city: str


PARAMETERS = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"], "additionalProperties": False}
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": PARAMETERS}}
RESPONSES_TOOL = {"type": "function", "name": "get_weather", "parameters": PARAMETERS, "strict": True}


def client(kind=openai.OpenAI, **options):
    return kind(**{"base_url": BASE_URL, "api_key": API_KEY, "max_retries": 0, "_strict_response_validation": True, **options})


def helpers():
    """The calls that parse and gather, which were in beta at first."""
    return client().beta.chat.completions if OLD else client().chat.completions


def ask(content, **more):
    return {"model": ASSISTANT, "messages": [{"role": "user", "content": content}], **more}


def fields(answer):
    """What the server left out of a request."""
    return [warning["field"] for warning in answer.elumenta["warnings"]]


class Chat(unittest.TestCase):
    def test_whole(self):
        answer = client().chat.completions.create(**ask("Hello"))
        self.assertEqual(answer.choices[0].message.content, "Hello from upstream")
        self.assertEqual(answer.choices[0].finish_reason, "stop")
        self.assertEqual(answer.usage.total_tokens, 14)
        self.assertRegex(answer._request_id, "^req_")

    def test_stream(self):
        text, usage = "", None
        for chunk in client().chat.completions.create(**ask("Hello", stream=True, stream_options={"include_usage": True})):
            text += chunk.choices[0].delta.content or "" if chunk.choices else ""
            usage = chunk.usage or usage
        self.assertEqual(text, "Hello from upstream")
        self.assertEqual(usage.total_tokens, 14)

    def test_tools_over_several_turns(self):
        for stream in (False, True):
            messages = list(QUESTION)

            def turn():
                request = {"model": ASSISTANT, "messages": messages, "tools": [TOOL]}
                if not stream:
                    return client().chat.completions.create(**request).choices[0].message
                with helpers().stream(**request) as events:
                    return events.get_final_completion().choices[0].message

            called = turn()
            call = called.tool_calls[0]
            self.assertEqual((call.id, call.function.name, json.loads(call.function.arguments)), ("call_1", "get_weather", {"city": "Paris"}))
            messages += [called, {"role": "tool", "tool_call_id": call.id, "content": "21 degrees"}]
            self.assertEqual(turn().content, "It is 21 degrees")

    def test_what_was_parsed_goes_back(self):
        answer = helpers().parse(**ask("A word", response_format=Word))
        self.assertEqual(answer.choices[0].message.parsed, Word(word="Hello"))
        tool = openai.pydantic_function_tool(Weather, name="get_weather")
        called = helpers().parse(model=ASSISTANT, messages=QUESTION, tools=[tool]).choices[0].message
        self.assertEqual(called.tool_calls[0].function.parsed_arguments, Weather(city="Paris"))
        result = {"role": "tool", "tool_call_id": "call_1", "content": "21 degrees"}
        for message in (called, called.model_dump()):
            answer = client().chat.completions.create(model=ASSISTANT, messages=[*QUESTION, message, result])
            self.assertEqual(answer.choices[0].message.content, "It is 21 degrees")
            self.assertEqual(fields(answer), [])

    def test_cut_off_structured_output(self):
        with self.assertRaises(openai.LengthFinishReasonError):
            helpers().parse(**ask("Be long", response_format=Word))

    def test_image(self):
        content = [{"type": "text", "text": "What is it?"}, {"type": "image_url", "image_url": {"url": IMAGE}}]
        self.assertEqual(client().chat.completions.create(**ask(content)).choices[0].message.content, "An image")

    def test_reasoning(self):
        answer = client().chat.completions.create(**ask("Think", reasoning_effort="low"))
        self.assertEqual(answer.choices[0].message.reasoning_content, "Hm.")
        again = client().chat.completions.create(model=ASSISTANT, messages=[*QUESTION, answer.choices[0].message, *QUESTION])
        self.assertEqual(fields(again), [])

    def test_left_out(self):
        answer = client().chat.completions.create(**ask("Hello", seed=1, metadata={"a": "b"}, presence_penalty=0, logit_bias={}))
        self.assertEqual(sorted(fields(answer)), ["metadata", "seed"])


class Errors(unittest.TestCase):
    def fails(self, kind, code, call, *args, **more):
        with self.assertRaises(kind) as caught:
            call(*args, **more)
        self.assertEqual(caught.exception.code, code)
        return caught.exception

    def test_classes_and_codes(self):
        create = client().chat.completions.create
        stranger = client(api_key="nb_wrong").chat.completions.create
        poor = client(api_key=os.environ["POOR_KEY"], max_retries=2).chat.completions.with_raw_response.create
        self.fails(openai.AuthenticationError, "invalid_api_key", stranger, **ask("Hello"))
        self.fails(openai.NotFoundError, "model_not_found", create, **ask("Hello", model="no-such-model"))
        for name, value, code in (("temperature", 9, "invalid_value"), ("n", 2, "unsupported_value"), ("logprobs", True, "unsupported_value")):
            error = self.fails(openai.BadRequestError, code, create, **ask("Hello", **{name: value}))
            self.assertEqual((error.param, error.type, error.status_code), (name, "invalid_request_error", 400))
            self.assertRegex(error.request_id, "^req_")
        error = self.fails(openai.RateLimitError, "insufficient_quota", poor, **ask("Hello"))
        self.assertEqual(error.response.headers["x-should-retry"], "false")
        self.assertEqual(error.response.request.headers["x-stainless-retry-count"], "0")

    def test_idempotency_key(self):
        headers = {"Idempotency-Key": "python-" + openai.__version__}
        client().chat.completions.create(**ask("Hello", extra_headers=headers))
        self.fails(openai.ConflictError, "conflict", client(max_retries=2).chat.completions.create, **ask("Hello", extra_headers=headers))

    def test_what_is_not_here(self):
        self.fails(openai.NotFoundError, "unknown_url", client().embeddings.create, model=ASSISTANT, input="Hello")
        for path in ("/threads", "/threads/thread_1/runs", "/assistants", "/conversations", "/responses/resp_1"):
            error = self.fails(openai.NotFoundError, "unknown_url", client().get, path, cast_to=object)
            self.assertRegex(error.message, "send what was said before|elumenta import", path)

    def test_fault_is_retried(self):
        raw = client(max_retries=2).chat.completions.with_raw_response.create(**ask("Fail once, " + openai.__version__))
        self.assertEqual(raw.parse().choices[0].message.content, "Hello from upstream")
        self.assertEqual(raw.retries_taken, 1)

    def test_fault_in_mid_stream(self):
        for stream in (client().chat.completions.create(**ask("Break off", stream=True)), client().responses.create(model=ASSISTANT, input="Break off", stream=True)):
            error = self.fails(openai.APIError, "provider_error", list, stream)
            self.assertEqual(error.type, "server_error")

    def test_timeout(self):
        with self.assertRaises(openai.APITimeoutError):
            client(timeout=0.2).chat.completions.create(**ask("Never end"))


class Leaving(unittest.TestCase):
    def test_stream_is_closed(self):
        with client().chat.completions.create(**ask("Never end", stream=True)) as stream:
            for chunk in stream:
                if chunk.choices[0].delta.content:
                    break
        self.assertTrue(stream.response.is_closed)

    def test_call_is_cancelled(self):
        async def run():
            async with client(openai.AsyncOpenAI) as c:
                stream = await c.chat.completions.create(**ask("Never end", stream=True))
                read = asyncio.Event()

                async def reads():
                    async for chunk in stream:
                        if chunk.choices[0].delta.content:
                            read.set()

                reading = asyncio.create_task(reads())
                await asyncio.wait_for(read.wait(), 60)
                reading.cancel()
                with self.assertRaises(asyncio.CancelledError):
                    await reading
                answers = await asyncio.gather(*(c.responses.create(model=ASSISTANT, input="Hello") for _ in range(8)))
                return {answer.output_text for answer in answers}

        self.assertEqual(asyncio.run(run()), {"Hello from upstream"})


class Responses(unittest.TestCase):
    def test_whole_and_stream(self):
        answer = client().responses.create(model=ASSISTANT, input="Hello")
        self.assertEqual((answer.output_text, answer.status, answer.store), ("Hello from upstream", "completed", False))
        text = "".join(event.delta for event in client().responses.create(model=ASSISTANT, input="Hello", stream=True) if event.type == "response.output_text.delta")
        self.assertEqual(text, "Hello from upstream")

    def test_prompt(self):
        prompt = {"id": PROMPT, "version": "1", "variables": {"customer": "Ada", "product": "the lamp"}}
        request = {"model": "test", "extra_body": {"prompt": prompt}} if OLD else {"prompt": prompt}  # which the older one does not know yet
        answer = client().responses.create(input="Say your instructions", **request)
        self.assertEqual(answer.output_text, "You help Ada with the lamp.")
        prompt["version"] = "2"
        with self.assertRaises(openai.NotFoundError):
            client().responses.create(input="Hello", **request)

    def test_tools_over_several_turns(self):
        for stream in (False, True):
            items = list(QUESTION)

            def turn():
                request = {"model": ASSISTANT, "input": items, "tools": [RESPONSES_TOOL]}
                if OLD or not stream:
                    return client().responses.create(**request)
                with client().responses.stream(**request) as events:
                    return events.get_final_response()

            called = turn()
            call = called.output[0]
            self.assertEqual((call.call_id, call.name, json.loads(call.arguments)), ("call_1", "get_weather", {"city": "Paris"}))
            items += [*called.output, {"type": "function_call_output", "call_id": call.call_id, "output": "21 degrees"}]
            self.assertEqual(turn().output_text, "It is 21 degrees")

    def test_what_was_parsed_goes_back(self):
        answer = client().responses.parse(model=ASSISTANT, input="A word", text_format=Word)
        self.assertEqual(answer.output_parsed, Word(word="Hello"))
        called = client().responses.parse(model=ASSISTANT, input=QUESTION, tools=[RESPONSES_TOOL])
        result = {"type": "function_call_output", "call_id": "call_1", "output": "21 degrees"}
        for items in (called.output, [item.model_dump() for item in called.output]):
            again = client().responses.create(model=ASSISTANT, input=[*QUESTION, *items, result, *QUESTION, *answer.output, *QUESTION])
            self.assertEqual((again.output_text, fields(again)), ("Hello from upstream", []))

    def test_image(self):
        content = [{"type": "input_text", "text": "What is it?"}, {"type": "input_image", "image_url": IMAGE, "detail": "auto"}]
        self.assertEqual(client().responses.create(model=ASSISTANT, input=[{"role": "user", "content": content}]).output_text, "An image")

    def test_reasoning(self):
        request = {"model": ASSISTANT, "input": "Think", "tools": [RESPONSES_TOOL], "reasoning": {"effort": "low"}, "include": ["reasoning.encrypted_content"]}
        answer = client().responses.create(**request)
        self.assertEqual([item.type for item in answer.output], ["reasoning", "message"])
        self.assertEqual(answer.output[0].summary[0].text, "Hm.")
        self.assertTrue(answer.output[0].encrypted_content)
        again = client().responses.create(model=ASSISTANT, input=[*QUESTION, *[item.model_dump() for item in answer.output], *QUESTION])
        self.assertEqual(fields(again), [])

    def test_cut_off(self):
        answer = client().responses.create(model=ASSISTANT, input="Be long")
        self.assertEqual((answer.status, answer.incomplete_details.reason), ("incomplete", "max_output_tokens"))

    def test_nothing_is_kept(self):
        for name, value in (("store", True), ("previous_response_id", "resp_1")):
            with self.assertRaises(openai.BadRequestError) as caught:
                client().responses.create(model=ASSISTANT, input="Hello", **{name: value})
            self.assertEqual(caught.exception.param, name)


class Models(unittest.TestCase):
    def test_list_and_retrieve(self):
        ids = [model.id for model in client().models.list()]
        self.assertLess({"test", ASSISTANT}, set(ids))
        self.assertEqual(client().models.retrieve(ASSISTANT).id, ASSISTANT)
        with self.assertRaises(openai.NotFoundError):
            client().models.retrieve("no-such-model")


if __name__ == "__main__":
    unittest.main()
