/** What the server answers when a call fails, or when an answer breaks off in mid-stream. */
export class ElumentaError extends Error {
    name = "ElumentaError";
    /** For programs; undefined where a proxy answered, and not the server. */
    code;
    /** With validation_error: fields, each with field and reason. */
    details;
    /** Of HTTP; 200 where the stream had begun. */
    status;
    /** Finds the call in the server's log. */
    requestId;
    /** How many seconds to wait before the next try, if the server said so. */
    retryAfter;
    /** What the part of an answer cost that came before a stream broke off. */
    tokensSpent;
    constructor(status, body, headers) {
        super(body.message ?? `The server answered ${status}.`);
        this.code = body.error;
        this.details = body.details ?? {};
        this.status = status;
        this.requestId = body.request_id ?? headers?.get("X-Request-Id") ?? undefined;
        const wait = headers?.get("Retry-After") ?? "";
        this.retryAfter = /^\d+$/.test(wait) ? Number(wait) : undefined;
        this.tokensSpent = body.tokens_spent ?? 0;
    }
}
export async function readError(response) {
    let body;
    try {
        body = JSON.parse(await response.text());
    }
    catch (error) {
        if (!(error instanceof SyntaxError))
            throw error; // else a proxy's page
    }
    return new ElumentaError(response.status, typeof body === "object" && body !== null ? body : {}, response.headers);
}
