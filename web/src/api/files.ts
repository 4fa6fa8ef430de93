import { answer, api, getCsrfToken, tellSignedOut } from './client';
import { ApiError, errorFrom } from './error';
import type { Attachment, AttachmentKind } from './types';

export const attachmentUrl = (company: number, id: number) =>
  `/api/v1/companies/${company}/attachments/${id}/content`;

export const fetchAttachment = (company_id: number, attachment_id: number) =>
  answer(
    api.POST('/api/v1/companies/{company_id}/attachments/{attachment_id}/fetch', {
      params: { path: { company_id, attachment_id } },
    }),
  );

/** Uploads by XMLHttpRequest: fetch tells no progress of what is sent. */
export function uploadFile(
  company: number,
  channel: number,
  file: File,
  kind: AttachmentKind | null,
  onProgress: (sentBytes: number) => void,
  signal: AbortSignal,
): Promise<Attachment> {
  return new Promise((resolve, reject) => {
    const form = new FormData();
    form.append('channel_id', String(channel));
    // A picture may be sent as a document; the server decides when nothing is asked for.
    if (kind) form.append('kind', kind);
    form.append('file', file, file.name);
    const upload = new XMLHttpRequest();
    upload.open('POST', `/api/v1/companies/${company}/files`);
    upload.responseType = 'json';
    const token = getCsrfToken();
    if (token) upload.setRequestHeader('X-CSRF-Token', token);
    upload.upload.onprogress = (event) => onProgress(event.loaded);
    upload.onerror = () => reject(new ApiError(0, 'network'));
    upload.onabort = () => reject(new ApiError(0, 'cancelled'));
    upload.onload = () => {
      if (upload.status >= 200 && upload.status < 300) {
        resolve(upload.response as Attachment);
        return;
      }
      const headers = new Headers();
      const retryAfter = upload.getResponseHeader('retry-after');
      if (retryAfter) headers.set('retry-after', retryAfter);
      if (upload.status === 401) tellSignedOut();
      reject(errorFrom(upload.status, upload.response, headers));
    };
    signal.addEventListener('abort', () => upload.abort());
    upload.send(form);
  });
}
