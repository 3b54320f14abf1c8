/** Calls an Elumenta server. Types and methods are generated from the server's OpenAPI document. */
import { ElumentaError } from "./error.js";
import { Operations } from "./operations.js";
export { ElumentaError } from "./error.js";
/**
 * Calls a server with a key: new Client({ server: "http://127.0.0.1:8080", key }).
 *
 * Errors of the server are an ElumentaError. What breaks the connection is fetch's TypeError, a TimeoutError where the server was silent for too long, and
 * an AbortError, or the signal's reason, where the signal ended the call. Nothing is repeated.
 */
export class Client extends Operations {
    /**
     * Generate an answer and read it as it comes: a generation_start first, a content_delta for each piece, a generation_end last. A loop that is left, and
     * a signal, end the generation.
     */
    async *generateStream(body, options) {
        const wait = this.wait(options);
        try {
            const response = await this.send("POST", "/api/v2/generate", { body: { ...body, stream: true }, options }, wait, "text/event-stream");
            for await (const line of lines(response, wait)) {
                if (!line.startsWith("data: "))
                    continue; // an empty line, or a comment that keeps the connection open
                if (line === "data: [DONE]")
                    return;
                const event = JSON.parse(line.slice(6));
                if (event.type === "error")
                    throw new ElumentaError(200, event);
                if (known.has(event.type))
                    yield event; // a newer server may have others
            }
            throw new TypeError("The stream broke off.");
        }
        finally {
            wait.end();
        }
    }
}
const known = new Set(["generation_start", "content_delta", "generation_end"]);
async function* lines(response, wait) {
    if (response.body === null)
        return;
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    for (let rest = "";;) {
        wait.again();
        const { done, value } = await reader.read();
        wait.pause();
        if (done)
            return;
        const whole = (rest + value).split("\n");
        rest = whole.pop() ?? "";
        yield* whole;
    }
}
