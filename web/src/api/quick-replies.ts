import { answer, api, getCsrfToken, tellSignedOut } from './client';
import { ApiError, errorFrom } from './error';
import type { components } from './schema.gen';
import type { QuickReply } from './types';

export type Wording = components['schemas']['QuickReplyBody'];

export const listQuickReplies = (company_id: number) =>
  answer(api.GET('/api/v1/companies/{company_id}/quick-replies', { params: { path: { company_id } } }));

export const addQuickReply = (company_id: number, body: Wording) =>
  answer(
    api.POST('/api/v1/companies/{company_id}/quick-replies', { params: { path: { company_id } }, body }),
  );

const ONE = '/api/v1/companies/{company_id}/quick-replies/{quick_reply_id}';
const one = (company_id: number, quick_reply_id: number) => ({
  params: { path: { company_id, quick_reply_id } },
});

export const changeQuickReply = (company: number, id: number, body: Wording) =>
  answer(api.PUT(ONE, { ...one(company, id), body }));
export const deleteQuickReply = (company: number, id: number) => answer(api.DELETE(ONE, one(company, id)));
export const deleteQuickReplyFile = (company: number, id: number) =>
  answer(api.DELETE(`${ONE}/file`, one(company, id)));

export const quickReplyFileUrl = (company: number, id: number) =>
  `/api/v1/companies/${company}/quick-replies/${id}/file`;

/** The file itself is the body; it may take longer than other calls. */
export async function putQuickReplyFile(company: number, id: number, file: File): Promise<QuickReply> {
  const token = getCsrfToken();
  const url = `${quickReplyFileUrl(company, id)}?name=${encodeURIComponent(file.name)}`;
  const response = await asked(url, {
    method: 'PUT',
    headers: {
      'Content-Type': file.type || 'application/octet-stream',
      ...(token && { 'X-CSRF-Token': token }),
    },
    body: file,
  });
  return (await response.json()) as QuickReply;
}

/** The saved file, to be sent as if it had been picked from the disk. */
export async function getQuickReplyFile(company: number, quickReply: QuickReply): Promise<File> {
  const response = await asked(quickReplyFileUrl(company, quickReply.id), {});
  const blob = await response.blob();
  const type = quickReply.file?.mime_type ?? blob.type;
  return new File([blob], quickReply.file?.name ?? 'file', { type });
}

async function asked(url: string, init: RequestInit): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { credentials: 'same-origin', ...init });
  } catch {
    throw new ApiError(0, 'network');
  }
  if (response.ok) return response;
  if (response.status === 401) tellSignedOut();
  throw errorFrom(response.status, await response.json().catch(() => null), response.headers);
}
