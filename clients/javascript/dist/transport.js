import { readError } from "./error.js";
/** Makes calls. Nothing is repeated. */
export class Transport {
    #server;
    #key;
    #timeout;
    #fetch;
    constructor(options) {
        this.#server = options.server.replace(/\/+$/, "");
        this.#key = options.key;
        this.#timeout = options.timeout ?? 600_000;
        this.#fetch = options.fetch ?? ((...args) => globalThis.fetch(...args));
    }
    /** Makes a call and reads the answer. */
    async call(method, path, request) {
        const wait = this.wait(request.options);
        try {
            const response = await this.send(method, path, request, wait, "application/json");
            const text = await response.text();
            return (text === "" ? undefined : JSON.parse(text));
        }
        finally {
            wait.end();
        }
    }
    /** Makes a call. An answer that is none of success is thrown. */
    async send(method, path, request, wait, accept) {
        const headers = { Authorization: `Bearer ${this.#key}`, Accept: accept };
        if (request.body !== undefined)
            headers["Content-Type"] = "application/json";
        if (request.options?.idempotencyKey !== undefined)
            headers["Idempotency-Key"] = request.options.idempotencyKey;
        if (request.options?.ifMatch !== undefined)
            headers["If-Match"] = `"${request.options.ifMatch}"`;
        const query = new URLSearchParams(Object.entries(request.query ?? {}).filter(([, value]) => value !== undefined));
        const init = { method, headers, redirect: "manual", signal: wait.signal }; // the key goes nowhere else
        if (request.body !== undefined)
            init.body = JSON.stringify(request.body);
        const response = await this.#fetch(this.#server + path + (query.size > 0 ? `?${query}` : ""), init);
        if (!response.ok)
            throw await readError(response);
        return response;
    }
    wait(options) {
        return new Wait(options?.timeout ?? this.#timeout, options?.signal);
    }
    async *all(cursor, page) {
        for (let at = cursor;;) {
            const answer = await page(at);
            yield* answer.items;
            if (answer.next_cursor === null)
                return;
            at = answer.next_cursor;
        }
    }
}
/** Ends a call when its time is over or its caller's signal says so. */
export class Wait {
    #controller = new AbortController();
    #timeout;
    #outer;
    #timer;
    constructor(timeout, outer) {
        this.#timeout = timeout;
        this.#outer = outer;
        if (outer?.aborted)
            this.#abort();
        outer?.addEventListener("abort", this.#abort);
        this.again();
    }
    get signal() {
        return this.#controller.signal;
    }
    /** Gives the server its time once more. */
    again() {
        clearTimeout(this.#timer);
        this.#timer = setTimeout(() => {
            this.#controller.abort(new DOMException(`The server was silent for ${this.#timeout} ms.`, "TimeoutError"));
        }, this.#timeout);
    }
    /** Takes the time back that a caller takes. */
    pause() {
        clearTimeout(this.#timer);
    }
    /** Ends the call, if it still runs. */
    end() {
        clearTimeout(this.#timer);
        this.#outer?.removeEventListener("abort", this.#abort);
        this.#controller.abort();
    }
    #abort = () => this.#controller.abort(this.#outer?.reason);
}
/** Puts values into a path. */
export function fill(path, values) {
    return path.replace(/\{(\w+)\}/g, (_, name) => encodeURIComponent(String(values[name])));
}
