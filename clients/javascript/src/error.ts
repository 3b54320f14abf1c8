import type { ErrorCode } from "./types.js";

export interface ErrorBody {
  error?: ErrorCode;
  message?: string;
  details?: Record<string, unknown>;
  request_id?: string;
  tokens_spent?: number;
}

/** What the server answers when a call fails, or when an answer breaks off in mid-stream. */
export class ElumentaError extends Error {
  override readonly name = "ElumentaError";
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

  constructor(status: number, body: ErrorBody, headers?: Headers) {
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

export async function readError(response: Response): Promise<ElumentaError> {
  let body: unknown;
  try {
    body = JSON.parse(await response.text());
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error; // else a proxy's page
  }
  return new ElumentaError(response.status, typeof body === "object" && body !== null ? body : {}, response.headers);
}
