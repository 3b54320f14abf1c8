// The API's event stream, as docs/contract.md has it.

// events yields the events of a stream as they come. Comments and [DONE] are swallowed; a stream that just ends throws.
export async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    const { value, done } = await reader.read();
    if (done) throw new TypeError("the stream broke off");
    const lines = (rest + value).split(/\r?\n/);
    rest = lines.pop();
    for (const line of lines) {
      if (!line.startsWith("data: ")) continue;
      const data = line.slice(6);
      if (data === "[DONE]") return;
      yield JSON.parse(data);
    }
  }
}

// Refused is an error of the API, before or in a stream.
export class Refused extends Error {
  constructor({ error, message, retry_after: retryAfter }, status) {
    super(message ?? "");
    this.code = error;
    this.status = status;
    this.retryAfter = retryAfter;
  }
}

// encoded is a request as it is sent.
export const encoded = (request) => JSON.stringify({ ...request, stream: true });

// generate asks for a stream and yields its events. The signal ends it.
export async function* generate(request, signal) {
  const response = await fetch("/console/generate", {
    method: "POST",
    signal,
    headers: { "Content-Type": "application/json", Accept: "text/event-stream, application/json" },
    body: encoded(request),
  });
  if (!response.ok) {
    const problem = await response.json().catch(() => ({}));
    throw new Refused({ retry_after: Number(response.headers.get("Retry-After")) || undefined, ...problem }, response.status);
  }
  for await (const event of events(response.body)) {
    if (event.type === "error") throw new Refused(event, response.status);
    yield event;
  }
}
