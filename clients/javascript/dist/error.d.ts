import type { ErrorCode } from "./types.js";
export interface ErrorBody {
    error?: ErrorCode;
    message?: string;
    details?: Record<string, unknown>;
    request_id?: string;
    tokens_spent?: number;
}
/** What the server answers when a call fails, or when an answer breaks off in mid-stream. */
export declare class ElumentaError extends Error {
    readonly name = "ElumentaError";
    /** For programs; undefined where a proxy answered, and not the server. */
    readonly code: ErrorCode | undefined;
    /** With validation_error: fields, each with field and reason. */
    readonly details: Record<string, unknown>;
    /** Of HTTP; 200 where the stream had begun. */
    readonly status: number;
    /** Finds the call in the server's log. */
    readonly requestId: string | undefined;
    /** How many seconds to wait before the next try, if the server said so. */
    readonly retryAfter: number | undefined;
    /** What the part of an answer cost that came before a stream broke off. */
    readonly tokensSpent: number;
    constructor(status: number, body: ErrorBody, headers?: Headers);
}
export declare function readError(response: Response): Promise<ElumentaError>;
