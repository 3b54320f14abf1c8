import { Operations } from "./operations.js";
import type { CallOptions } from "./transport.js";
import type { GenerateRequest, StreamEvent } from "./types.js";
export { ElumentaError } from "./error.js";
export type { CallOptions, ClientOptions } from "./transport.js";
export type * from "./types.js";
/**
 * Calls a server with a key: new Client({ server: "http://127.0.0.1:8080", key }).
 *
 * Errors of the server are an ElumentaError. What breaks the connection is fetch's TypeError, a TimeoutError where the server was silent for too long, and
 * an AbortError, or the signal's reason, where the signal ended the call. Nothing is repeated.
 */
export declare class Client extends Operations {
    /**
     * Generate an answer and read it as it comes: a generation_start first, a content_delta for each piece, a generation_end last. A loop that is left, and
     * a signal, end the generation.
     */
    generateStream(body: GenerateRequest, options?: CallOptions): AsyncGenerator<StreamEvent, void, undefined>;
}
