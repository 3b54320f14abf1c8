// Anthropic's own client: only the base URL, the key and the model are ours.
import assert from "node:assert/strict";
import { test } from "node:test";

import Anthropic from "@anthropic-ai/sdk";

const model = process.env.ASSISTANT;
const client = (options = {}) => new Anthropic({ baseURL: process.env.BASE_URL, apiKey: process.env.API_KEY, maxRetries: 0, ...options });
const ask = (content, more = {}) => ({ model, max_tokens: 100, messages: [{ role: "user", content }], ...more });
const tools = [{ name: "get_weather", input_schema: { type: "object", properties: { city: { type: "string" } }, required: ["city"] } }];
const data = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

test("message and stream", async () => {
  const answer = await client().messages.create(ask("Hello"));
  assert.deepEqual(answer.content.map((block) => block.text), ["Hello from upstream"]);
  assert.equal(answer.stop_reason, "end_turn");
  assert.equal(answer.usage.output_tokens, 4);
  const streamed = await client().messages.stream(ask("Hello")).finalMessage();
  assert.deepEqual(streamed.content.map((block) => block.text), ["Hello from upstream"]);
  assert.equal(streamed.usage.output_tokens, 4);
});

test("tools over several turns", async () => {
  for (const stream of [false, true]) {
    const messages = [{ role: "user", content: "What is the weather in Paris?" }];
    const turn = async () => {
      const request = { model, max_tokens: 100, messages, tools };
      const answer = stream ? await client().messages.stream(request).finalMessage() : await client().messages.create(request);
      messages.push({ role: "assistant", content: answer.content });
      return answer;
    };
    const called = await turn();
    const call = called.content.find((block) => block.type === "tool_use");
    assert.equal(called.stop_reason, "tool_use");
    assert.deepEqual([call.id, call.name, call.input], ["call_1", "get_weather", { city: "Paris" }]);
    messages.push({ role: "user", content: [{ type: "tool_result", tool_use_id: call.id, content: "21 degrees" }] });
    assert.equal((await turn()).content[0].text, "It is 21 degrees");
  }
});

test("images", async () => {
  const answer = await client().messages.create(ask([{ type: "text", text: "What is it?" }, { type: "image", source: { type: "base64", media_type: "image/png", data } }]));
  assert.equal(answer.content[0].text, "An image");
});

test("errors and retries", async () => {
  await assert.rejects(client({ apiKey: "nb_wrong" }).messages.create(ask("Hello")), Anthropic.AuthenticationError);
  await assert.rejects(client().messages.create(ask("Hello", { model: "no-such-model" })), Anthropic.NotFoundError);
  await assert.rejects(client().messages.create(ask("Hello", { temperature: 9 })), Anthropic.BadRequestError);
  const answer = await client({ maxRetries: 2 }).messages.create(ask("Fail once, anthropic"));
  assert.equal(answer.content[0].text, "Hello from upstream");
});

test("abort", async () => {
  const stream = client().messages.stream(ask("Never end"));
  stream.on("text", () => stream.abort());
  await assert.rejects(stream.finalMessage(), Anthropic.APIUserAbortError);
});
