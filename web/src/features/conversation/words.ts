import type { Content, Conversation, Member, Message, MessagePreview } from '../../api/types';
import { t, tByCode } from '../../i18n';
import { phone } from '../../i18n/format';

/** What members read about clients and messages. */

export function contactName(conversation: Conversation): string {
  const { contact } = conversation;
  if (contact.name.trim() !== '') return contact.name;
  if (contact.phone) return phone(contact.phone);
  if (contact.username) return `@${contact.username}`;
  return t('contact.unknown');
}

export const memberName = (members: Record<number, Member>, id: number | null) =>
  (id !== null && members[id]?.name) || t('member.unknown');

export const firstName = (name: string) => name.split(/\s+/)[0] ?? name;

/** The line of a row: words, or what the message is. */
export function previewText(preview: MessagePreview): string {
  if (preview.deleted) return t('preview.deleted');
  if (preview.content_kind === 'system')
    return tByCode(`system.short.${preview.text}`) ?? t('preview.system');
  const words = preview.text.replace(/\s+/g, ' ').trim();
  if (preview.attachment_kind) return words || t(`attachment.${preview.attachment_kind}`);
  if (preview.content_kind === 'location') return words || t('preview.location');
  if (preview.content_kind === 'contact') return t('preview.contact', { name: words });
  if (preview.content_kind === 'unsupported') return words || t('preview.unsupported');
  return words;
}

interface SystemParams {
  by?: number | null;
  to?: number | null;
}

/** A line about what happened, in a sentence. */
export function systemText(content: Content, members: Record<number, Member>): string {
  if (content.kind !== 'system') return '';
  const params = (content.params ?? {}) as SystemParams;
  const by = typeof params.by === 'number' ? memberName(members, params.by) : t('member.system');
  if (content.code === 'conversation_assigned') {
    if (typeof params.to !== 'number') return t('system.conversation_unassigned', { by });
    if (params.to === params.by) return t('system.conversation_taken', { by });
    return t('system.conversation_assigned', { by, to: memberName(members, params.to) });
  }
  return tByCode(`system.${content.code}`, { by }) ?? t('preview.system');
}

/** The words of a message for a quote, a spoken sentence, the clipboard. */
export function messageText(message: Message): string {
  const { content } = message;
  if (message.deleted_at !== null) return t('preview.deleted');
  const first = message.attachments[0];
  switch (content.kind) {
    case 'text':
      return content.text || (first ? t(`attachment.${first.kind}`) : '');
    case 'location':
      return content.title ?? content.address ?? t('preview.location');
    case 'contact':
      return t('preview.contact', { name: content.name });
    case 'button':
      return content.text ?? content.data;
    case 'unsupported':
      return content.text ?? t('preview.unsupported');
    case 'system':
      return '';
  }
}
