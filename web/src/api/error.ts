/** What the server refused, or why it could not be asked. `code` is stable and translated. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly field: string | null;
  readonly params: Record<string, unknown>;
  readonly requestId: string | null;

  constructor(
    status: number,
    code: string,
    more: {
      detail?: string;
      field?: string | null;
      params?: Record<string, unknown>;
      requestId?: string | null;
    } = {},
  ) {
    super(more.detail ?? code);
    this.name = 'ApiError';
    this.status = status;
    this.code = code;
    this.field = more.field ?? null;
    this.params = more.params ?? {};
    this.requestId = more.requestId ?? null;
  }

  /** The same request may work later: nothing has to change in it. */
  get isTemporary(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }

  get retryAfterSeconds(): number | null {
    const seconds = this.params.retry_after_seconds;
    return typeof seconds === 'number' ? seconds : null;
  }
}

interface ErrorBody {
  errors?: { code?: string; detail?: string; field?: string; params?: Record<string, unknown> }[];
  request_id?: string;
}

/** Reads the envelope; anything else (a proxy's page) becomes a code by the status. */
export function errorFrom(status: number, body: unknown, headers?: Headers): ApiError {
  const envelope = (typeof body === 'object' && body ? body : {}) as ErrorBody;
  const first = envelope.errors?.[0];
  const params = { ...first?.params };
  const retryAfter = Number(headers?.get('retry-after'));
  if (retryAfter > 0 && params.retry_after_seconds === undefined) params.retry_after_seconds = retryAfter;
  return new ApiError(status, first?.code ?? (status >= 500 ? 'unavailable' : 'invalid_request'), {
    detail: first?.detail,
    field: first?.field ?? null,
    params,
    requestId: envelope.request_id ?? headers?.get('x-request-id') ?? null,
  });
}

export const asApiError = (error: unknown): ApiError =>
  error instanceof ApiError ? error : new ApiError(0, 'network', { detail: String(error) });
