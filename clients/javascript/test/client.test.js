// Runs against the program that BASE_URL names; TestOwnClients in e2e starts it.
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { test } from "node:test";

import { Client, ElumentaError } from "elumenta";

const server = /** @type {string} */ (process.env.BASE_URL);
const client = new Client({ server: server + "/", key: /** @type {string} */ (process.env.API_KEY) });
const unknown = "asst_01h455vb4pex5vsknk084sn02q";
const long = { model: "sandbox", prompt: "sandbox:long 100000" };

/** @param {string} name */
const create = (name) =>
  client.createAssistant({ name, model: "sandbox", instructions: "You help {{who}}.", variables: [{ name: "who", default: "everyone" }] });

/**
 * @param {Promise<unknown>} call
 * @param {import("elumenta").ErrorCode | undefined} code
 * @param {number} status
 */
async function fails(call, code, status) {
  const error = await call.then(() => undefined, (/** @type {unknown} */ e) => e);
  assert(error instanceof ElumentaError, String(error));
  assert.deepEqual([error.code, error.status], [code, status]);
  return error;
}

/**
 * @template T
 * @param {AsyncIterable<T>} items
 */
async function list(items) {
  const all = [];
  for await (const item of items) all.push(item);
  return all;
}

test("assistants", async () => {
  const made = await create("JavaScript bot");
  assert.deepEqual([made.version, made.visibility, made.temperature], [1, "private", null]);
  const changed = await client.updateAssistant(made.id, { temperature: 0, note: "calmer" }, { ifMatch: 1 });
  assert.deepEqual([changed.version, changed.temperature, changed.name], [2, 0, "JavaScript bot"]);
  assert.equal((await client.updateAssistant(made.id, { temperature: null })).temperature, null);
  await fails(client.updateAssistant(made.id, { name: "Late" }, { ifMatch: 1 }), "version_conflict", 412);
  assert.equal((await client.getAssistant(made.id)).version, 3);
  assert.deepEqual((await client.setLabel(made.id, "production", { version: 2 })).split, [{ version: 2, weight: 1 }]);
  assert.equal((await client.getVersion(made.id, 2)).note, "calmer");
  assert.equal(await client.deleteAssistant(made.id), undefined);
  await fails(client.getAssistant(made.id), "not_found", 404);
});

test("pages", async () => {
  const made = [];
  for (let i = 0; i < 5; i++) made.unshift((await create(`Page ${i}`)).id);
  const page = await client.listAssistants({ q: "Page", limit: 2 });
  assert.equal(page.items.length, 2);
  assert(page.next_cursor !== null);
  assert.deepEqual((await list(client.listAssistantsAll({ q: "Page", limit: 2 }))).map((a) => a.id), made);
  await fails(list(client.listAssistantsAll({ cursor: "nonsense" })), "bad_request", 400);
});

test("generate", async () => {
  const { id } = await create("Answers");
  const answer = await client.generate(
    { assistant_id: id, variables: { who: "people" }, messages: [{ role: "user", content: [{ type: "text", text: "Hello" }] }] },
    { idempotencyKey: "javascript-1" },
  );
  assert.match(answer.content, /Your last message was: Hello$/);
  assert.deepEqual([answer.assistant_id, answer.finish_reason], [id, "stop"]);
  let text = "";
  const others = [];
  for await (const event of client.generateStream({ assistant_id: id, prompt: "Grüße 🙂" })) {
    if (event.type === "content_delta") text += event.delta;
    else others.push(event.type);
  }
  assert.match(text, /Your last message was: Grüße 🙂$/);
  assert.deepEqual(others, ["generation_start", "generation_end"]);
});

test("errors", async () => {
  const error = await fails(client.generate({ assistant_id: unknown, prompt: "Hello" }), "not_found", 404);
  assert.match(error.requestId ?? "", /^req_/);
  assert(error.message !== "" && error.retryAfter === undefined);
  const busy = await fails(client.generate({ model: "sandbox", prompt: "sandbox:error 429" }), "model_unavailable", 503);
  assert((busy.retryAfter ?? 0) > 0);
  const invalid = await fails(client.createAssistant({ name: "", model: "sandbox", instructions: "x" }), "validation_error", 422);
  assert(Array.isArray(invalid.details.fields));
  await fails(list(client.generateStream({ assistant_id: unknown, prompt: "Hello" })), "not_found", 404);
  let pieces = 0;
  const cut = async () => {
    for await (const event of client.generateStream({ model: "sandbox", prompt: "sandbox:cut" })) if (event.type === "content_delta") pieces++;
  };
  await fails(cut(), "provider_error", 200);
  assert(pieces > 0);
});

test("abort", async () => {
  for await (const event of client.generateStream(long)) if (event.type === "content_delta") break;
  const controller = new AbortController();
  const aborted = async () => {
    for await (const _ of client.generateStream(long, { signal: controller.signal })) controller.abort();
  };
  await assert.rejects(aborted(), { name: "AbortError" });
  await assert.rejects(client.getUser({ signal: controller.signal }), { name: "AbortError" });
  await assert.rejects(client.generate({ model: "sandbox", prompt: "sandbox:slow 5m" }, { timeout: 50 }), { name: "TimeoutError" });
  assert.equal(typeof (await client.getUser()).plan, "string");
});

test("a slow reader is no silent server", async (t) => {
  t.mock.timers.enable({ apis: ["setTimeout"] });
  let pieces = 0;
  for await (const event of client.generateStream({ model: "sandbox", prompt: "Hello" })) {
    if (event.type === "content_delta") pieces++;
    t.mock.timers.tick(3_600_000);
  }
  assert(pieces > 1);
});

test("foreign answers", async (t) => {
  /** @type {() => void} */
  let hungUp = () => {};
  const proxy = createServer((request, response) => {
    if (request.headers["idempotency-key"] === "endless") {
      response.once("close", () => hungUp());
      return response.write('data: {"type":"content_delta","delta":"Hello"}\n\n');
    }
    if (request.method === "POST") return response.end('data: {"type":"news"}\n\n');
    response.writeHead(request.url?.endsWith("/balance") ? 302 : 502, { Location: server, "Retry-After": "7" }).end("<html>Bad gateway");
  });
  await new Promise((resolve) => proxy.listen(0, "127.0.0.1", () => resolve(undefined)));
  t.after(() => proxy.close());
  const { port } = /** @type {import("node:net").AddressInfo} */ (proxy.address());
  const proxied = new Client({ server: `http://127.0.0.1:${port}`, key: "nb_key", timeout: 30_000 });
  assert.equal((await fails(proxied.getUser(), undefined, 502)).retryAfter, 7);
  await fails(proxied.getBalance(), undefined, 302); // the key goes nowhere else
  await assert.rejects(list(proxied.generateStream({ prompt: "Hello" })), TypeError);
  const gone = new Promise((resolve) => (hungUp = () => resolve(undefined)));
  for await (const _ of proxied.generateStream({ prompt: "Hello" }, { idempotencyKey: "endless" })) break;
  await gone;
  await assert.rejects(list(proxied.generateStream({ prompt: "Hello" }, { idempotencyKey: "endless", timeout: 50 })), { name: "TimeoutError" });
});
