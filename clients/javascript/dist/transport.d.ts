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
export declare class Transport {
    #private;
    constructor(options: ClientOptions);
    /** Makes a call and reads the answer. */
    protected call<Result>(method: string, path: string, request: Request): Promise<Result>;
    /** Makes a call. An answer that is none of success is thrown. */
    protected send(method: string, path: string, request: Request, wait: Wait, accept: string): Promise<Response>;
    protected wait(options: CallOptions | undefined): Wait;
    protected all<Item>(cursor: string | undefined, page: (cursor?: string) => Promise<Page<Item>>): AsyncGenerator<Item, void, undefined>;
}
/** Ends a call when its time is over or its caller's signal says so. */
export declare class Wait {
    #private;
    constructor(timeout: number, outer: AbortSignal | undefined);
    get signal(): AbortSignal;
    /** Gives the server its time once more. */
    again(): void;
    /** Takes the time back that a caller takes. */
    pause(): void;
    /** Ends the call, if it still runs. */
    end(): void;
}
/** Puts values into a path. */
export declare function fill(path: string, values: Record<string, string | number>): string;
export {};
