import { readError } from "./error.js";

export interface ClientOptions {
  /** The server's address, such as https://elumenta.example. */
  server: string;
  /** An API key. */
  key: string;
  /** How many milliseconds to wait for an answer, and for each next piece of a stream; 600,000 by default. */
  timeout?: number;
  /** Makes the calls instead of the global fetch. */
  fetch?: typeof globalThis.fetch;
}

export interface CallOptions {
  /** Ends the call. */
  signal?: AbortSignal;
  /** Instead of the client's. */
  timeout?: number;
  /** Makes a call that creates something, or a generation, safe to repeat: 1 to 255 visible ASCII characters, your own. */
  idempotencyKey?: string;
  /** Makes updateAssistant fail with version_conflict where the assistant's newest version is another one. */
  ifMatch?: number;
}

interface Request {
  body?: unknown;
  query?: object;
  options?: CallOptions | undefined;
}

interface Page<Item> {
  items: Item[];
  next_cursor: string | null;
}

/** Makes calls. Nothing is repeated. */
export class Transport {
  readonly #server: string;
  readonly #key: string;
  readonly #timeout: number;
  readonly #fetch: typeof globalThis.fetch;

  constructor(options: ClientOptions) {
    this.#server = options.server.replace(/\/+$/, "");
    this.#key = options.key;
    this.#timeout = options.timeout ?? 600_000;
    this.#fetch = options.fetch ?? ((...args) => globalThis.fetch(...args));
  }

  /** Makes a call and reads the answer. */
  protected async call<Result>(method: string, path: string, request: Request): Promise<Result> {
    const wait = this.wait(request.options);
    try {
      const response = await this.send(method, path, request, wait, "application/json");
      const text = await response.text();
      return (text === "" ? undefined : JSON.parse(text)) as Result;
    } finally {
      wait.end();
    }
  }

  /** Makes a call. An answer that is none of success is thrown. */
  protected async send(method: string, path: string, request: Request, wait: Wait, accept: string): Promise<Response> {
    const headers: Record<string, string> = { Authorization: `Bearer ${this.#key}`, Accept: accept };
    if (request.body !== undefined) headers["Content-Type"] = "application/json";
    if (request.options?.idempotencyKey !== undefined) headers["Idempotency-Key"] = request.options.idempotencyKey;
    if (request.options?.ifMatch !== undefined) headers["If-Match"] = `"${request.options.ifMatch}"`;
    const query = new URLSearchParams(Object.entries(request.query ?? {}).filter(([, value]) => value !== undefined));
    const init: RequestInit = { method, headers, redirect: "manual", signal: wait.signal }; // the key goes nowhere else
    if (request.body !== undefined) init.body = JSON.stringify(request.body);
    const response = await this.#fetch(this.#server + path + (query.size > 0 ? `?${query}` : ""), init);
    if (!response.ok) throw await readError(response);
    return response;
  }

  protected wait(options: CallOptions | undefined): Wait {
    return new Wait(options?.timeout ?? this.#timeout, options?.signal);
  }

  protected async *all<Item>(cursor: string | undefined, page: (cursor?: string) => Promise<Page<Item>>): AsyncGenerator<Item, void, undefined> {
    for (let at = cursor; ; ) {
      const answer = await page(at);
      yield* answer.items;
      if (answer.next_cursor === null) return;
      at = answer.next_cursor;
    }
  }
}

/** Ends a call when its time is over or its caller's signal says so. */
export class Wait {
  readonly #controller = new AbortController();
  readonly #timeout: number;
  readonly #outer: AbortSignal | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(timeout: number, outer: AbortSignal | undefined) {
    this.#timeout = timeout;
    this.#outer = outer;
    if (outer?.aborted) this.#abort();
    outer?.addEventListener("abort", this.#abort);
    this.again();
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Gives the server its time once more. */
  again(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#controller.abort(new DOMException(`The server was silent for ${this.#timeout} ms.`, "TimeoutError"));
    }, this.#timeout);
  }

  /** Takes the time back that a caller takes. */
  pause(): void {
    clearTimeout(this.#timer);
  }

  /** Ends the call, if it still runs. */
  end(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener("abort", this.#abort);
    this.#controller.abort();
  }

  readonly #abort = (): void => this.#controller.abort(this.#outer?.reason);
}

/** Puts values into a path. */
export function fill(path: string, values: Record<string, string | number>): string {
  return path.replace(/\{(\w+)\}/g, (_, name: string) => encodeURIComponent(String(values[name])));
}
