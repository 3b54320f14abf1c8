// Vercel's AI SDK, in two majors, and LangChain.js, with the providers that they have for OpenAI and Anthropic.
import assert from "node:assert/strict";
import { test } from "node:test";

import * as anthropic from "@ai-sdk/anthropic";
import * as openai from "@ai-sdk/openai";
import { HumanMessage } from "@langchain/core/messages";
import { tool as langchainTool } from "@langchain/core/tools";
import { ChatOpenAI } from "@langchain/openai";
import * as ai from "ai";
import * as ai6 from "ai-6";
import * as anthropic3 from "ai-sdk-anthropic-3";
import * as openai3 from "ai-sdk-openai-3";
import { z } from "zod";

const { BASE_URL, API_KEY: apiKey, ASSISTANT } = process.env;
const baseURL = BASE_URL + "/v1";
const weather = { description: "The weather", inputSchema: z.object({ city: z.string() }), execute: async ({ city }) => (city === "Paris" ? "21 degrees" : "unknown") };

for (const [sdk, { generateText, Output, stepCountIs, streamText, tool }, { createOpenAI }, { createAnthropic }] of [
  ["ai", ai, openai, anthropic],
  ["ai 6", ai6, openai3, anthropic3],
]) {
  const provider = createOpenAI({ baseURL, apiKey });
  for (const [name, model] of Object.entries({
    "chat completions": provider.chat(ASSISTANT),
    responses: provider.responses(ASSISTANT),
    messages: createAnthropic({ baseURL, apiKey })(ASSISTANT),
  })) {
    test(`${sdk} over ${name}`, async () => {
      assert.equal((await generateText({ model, prompt: "Hello", maxRetries: 0 })).text, "Hello from upstream");
      let text = "";
      for await (const piece of streamText({ model, prompt: "Hello", maxRetries: 0 }).textStream) text += piece;
      assert.equal(text, "Hello from upstream");
      const prompt = "What is the weather in Paris?";
      const steps = await generateText({ model, prompt, tools: { get_weather: tool(weather) }, stopWhen: stepCountIs(3), maxRetries: 0 });
      assert.equal(steps.text, "It is 21 degrees");
      const streamed = streamText({ model, prompt, tools: { get_weather: tool(weather) }, stopWhen: stepCountIs(3), maxRetries: 0 });
      assert.equal(await streamed.text, "It is 21 degrees");
      const { output } = await generateText({ model, prompt: "A word", output: Output.object({ schema: z.object({ word: z.string() }) }), maxRetries: 0 });
      assert.deepEqual(output, { word: "Hello" });
    });
  }
}

test("langchain", async () => {
  const model = new ChatOpenAI({ model: ASSISTANT, apiKey, maxRetries: 0, configuration: { baseURL } });
  assert.equal((await model.invoke("Hello")).text, "Hello from upstream");
  let text = "";
  for await (const piece of await model.stream("Hello")) text += piece.text;
  assert.equal(text, "Hello from upstream");
  const getWeather = langchainTool(weather.execute, { name: "get_weather", description: weather.description, schema: weather.inputSchema });
  const messages = [new HumanMessage("What is the weather in Paris?")];
  const withTools = model.bindTools([getWeather]);
  const called = await withTools.invoke(messages);
  messages.push(called, await getWeather.invoke(called.tool_calls[0]));
  assert.equal((await withTools.invoke(messages)).text, "It is 21 degrees");
  assert.deepEqual(await model.withStructuredOutput(z.object({ word: z.string() })).invoke("A word"), { word: "Hello" });
});
