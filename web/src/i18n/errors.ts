import type { ApiError } from '../api/error';
import { t, tByCode } from './index';

/** A refusal in words: what to change, or what to wait for. Unknown codes name the request. */
export function sentenceOf(error: Pick<ApiError, 'code' | 'params' | 'requestId'>): string {
  return (
    tByCode(`error.${error.code}`, numbers(error.params)) ??
    (error.requestId ? t('error.other_with_request', { request: error.requestId }) : t('error.other'))
  );
}

/** Why a message failed, in words; the provider's own words are the last resort. */
export function failureOf(failure: { code: string; detail: string | null }, provider: string): string {
  return (
    tByCode(`failure.${failure.code}`, { provider }) ??
    tByCode(`error.${failure.code}`) ??
    failure.detail ??
    t('failure.other', { provider })
  );
}

/** Placeholders must never be empty in a sentence: sizes and counts that are missing become a dash. */
function numbers(params: Record<string, unknown>): Record<string, unknown> {
  const megabytes =
    typeof params.limit_bytes === 'number' ? Math.floor(params.limit_bytes / 1024 / 1024) : '—';
  return {
    attempts_left: 0,
    retry_after_seconds: 60,
    limit: '—',
    length: '—',
    ...params,
    limit_megabytes: megabytes,
  };
}
