// OpenAI's own client, in two majors: only the base URL, the key and the model are ours.
import assert from "node:assert/strict";
import { test } from "node:test";

import NewestOpenAI from "openai";
import OlderOpenAI from "openai-6";

const baseURL = process.env.BASE_URL + "/v1";
const apiKey = process.env.API_KEY;
const assistant = process.env.ASSISTANT;
const image = "data:image/png;base64,iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
const weather = { type: "function", function: { name: "get_weather", parameters: { type: "object", properties: { city: { type: "string" } }, required: ["city"] } } };
const word = { type: "json_schema", json_schema: { name: "word", strict: true, schema: { type: "object", properties: { word: { type: "string" } }, required: ["word"], additionalProperties: false } } };

for (const [major, OpenAI] of Object.entries({ newest: NewestOpenAI, older: OlderOpenAI })) {
  const client = (options = {}) => new OpenAI({ baseURL, apiKey, maxRetries: 0, ...options });
  const ask = (content, more = {}) => ({ model: assistant, messages: [{ role: "user", content }], ...more });

  test(`${major}: chat`, async () => {
    const answer = await client().chat.completions.create(ask("Hello"));
    assert.equal(answer.choices[0].message.content, "Hello from upstream");
    assert.equal(answer.choices[0].finish_reason, "stop");
    assert.equal(answer.usage.total_tokens, 14);
    assert.match(answer._request_id, /^req_/);
  });

  test(`${major}: stream`, async () => {
    const stream = await client().chat.completions.create(ask("Hello", { stream: true, stream_options: { include_usage: true } }));
    let text = "";
    let usage;
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? "";
      usage = chunk.usage ?? usage;
    }
    assert.equal(text, "Hello from upstream");
    assert.equal(usage.total_tokens, 14);
  });

  test(`${major}: tools over several turns`, async () => {
    for (const stream of [false, true]) {
      const messages = [{ role: "user", content: "What is the weather in Paris?" }];
      for (let turn = 0; turn < 2; turn++) {
        const request = { model: assistant, messages, tools: [weather] };
        const message = stream
          ? await client().chat.completions.stream(request).finalMessage()
          : (await client().chat.completions.create(request)).choices[0].message;
        messages.push(message);
        if (turn === 0) {
          assert.equal(message.tool_calls[0].id, "call_1");
          assert.deepEqual(JSON.parse(message.tool_calls[0].function.arguments), { city: "Paris" });
          messages.push({ role: "tool", tool_call_id: message.tool_calls[0].id, content: "21 degrees" });
        }
      }
      assert.equal(messages.at(-1).content, "It is 21 degrees");
    }
  });

  test(`${major}: structured output and images`, async () => {
    const answer = await client().chat.completions.parse(ask("A word", { response_format: word }));
    assert.deepEqual(JSON.parse(answer.choices[0].message.content), { word: "Hello" });
    const seen = await client().chat.completions.create(ask([{ type: "text", text: "What is it?" }, { type: "image_url", image_url: { url: image } }]));
    assert.equal(seen.choices[0].message.content, "An image");
  });

  test(`${major}: errors`, async () => {
    await assert.rejects(client({ apiKey: "nb_wrong" }).chat.completions.create(ask("Hello")), OpenAI.AuthenticationError);
    await assert.rejects(client().chat.completions.create(ask("Hello", { model: "no-such-model" })), OpenAI.NotFoundError);
    await assert.rejects(client().chat.completions.create(ask("Hello", { temperature: 9 })), (error) => error instanceof OpenAI.BadRequestError && error.param === "temperature");
    await assert.rejects(client().chat.completions.create(ask("Hello", { n: 2 })), OpenAI.BadRequestError);
  });

  test(`${major}: a fault is retried`, async () => {
    const answer = await client({ maxRetries: 2 }).chat.completions.create(ask("Fail once, " + major));
    assert.equal(answer.choices[0].message.content, "Hello from upstream");
  });

  test(`${major}: abort`, async () => {
    const stream = await client().chat.completions.create(ask("Never end", { stream: true }));
    for await (const chunk of stream) {
      if (chunk.choices[0]?.delta.content) break;
    }
    assert.ok(stream.controller.signal.aborted);
  });

  test(`${major}: models`, async () => {
    const ids = [];
    for await (const model of client().models.list()) ids.push(model.id);
    assert.ok(ids.includes("test") && ids.includes(assistant));
    assert.equal((await client().models.retrieve(assistant)).id, assistant);
  });

  test(`${major}: responses`, async () => {
    const prompt = { id: assistant, version: "1" };
    const answer = await client().responses.create({ prompt, input: "Hello" });
    assert.equal(answer.output_text, "Hello from upstream");
    assert.equal(answer.status, "completed");
    let text = "";
    for await (const event of await client().responses.create({ prompt, input: "Hello", stream: true })) {
      if (event.type === "response.output_text.delta") text += event.delta;
    }
    assert.equal(text, "Hello from upstream");
    const { name, parameters } = weather.function;
    const tools = [{ type: "function", name, parameters, strict: false }];
    const called = await client().responses.create({ model: assistant, input: "What is the weather in Paris?", tools });
    const call = called.output.find((item) => item.type === "function_call");
    assert.deepEqual([call.call_id, JSON.parse(call.arguments)], ["call_1", { city: "Paris" }]);
    const input = [{ role: "user", content: "What is the weather in Paris?" }, ...called.output, { type: "function_call_output", call_id: call.call_id, output: "21 degrees" }];
    assert.equal((await client().responses.create({ model: assistant, input, tools })).output_text, "It is 21 degrees");
    await assert.rejects(client().responses.create({ model: assistant, input: "Hello", store: true }), OpenAI.BadRequestError);
  });
}
