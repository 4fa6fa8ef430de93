import { ActionIcon } from '@mantine/core';
import {
  IconArrowBackUp,
  IconCopy,
  IconDots,
  IconListDetails,
  IconPencil,
  IconTrash,
} from '@tabler/icons-react';
import { lazy, useState } from 'react';
import { deleteMessage } from '../../api/conversations';
import { asApiError } from '../../api/error';
import type { Message } from '../../api/types';
import { ActionMenu } from '../../components/ActionMenu';
import { Confirm } from '../../components/Confirm';
import { Lazily } from '../../components/Lazily';
import { showToast } from '../../components/Toasts';
import { t } from '../../i18n';
import { sentenceOf } from '../../i18n/errors';
import { isDeleted } from '../channels/words';
import classes from './MessageTools.module.css';
import { useThread } from './thread-context';
import { messageText } from './words';

const MessageDetails = lazy(() => import('./MessageDetails'));

const CHANGEABLE = ['sent', 'delivered', 'read'];

/** Beside the bubble, never over its words: by pointer, by focus, always there on touch. */
export function MessageTools({ message }: { message: Message }) {
  const { workspace, conversation, channel, reply, edit } = useThread();
  const [asking, setAsking] = useState(false);
  const [details, setDetails] = useState(false);
  // Nothing goes through a deleted channel, be it an answer or a correction.
  const can = isDeleted(channel) ? undefined : channel?.capabilities;
  const words = message.content.kind === 'text' ? message.content.text : '';
  const arrived = message.status !== null && CHANGEABLE.includes(message.status);
  const own = message.direction === 'outgoing' && arrived;
  const canReply = can?.reply === true && (message.direction === 'incoming' || arrived);
  const canEdit = own && can?.edit === true && message.content.kind === 'text' && words !== '';
  const canDelete = own && can?.delete === true;

  const copy = () => {
    navigator.clipboard?.writeText(messageText(message)).then(
      () => showToast({ text: t('message.copied') }),
      () => undefined,
    );
  };

  const remove = async () => {
    try {
      workspace.absorb({
        messages: [await deleteMessage(workspace.company.id, conversation.id, message.id)],
      });
    } catch (cause) {
      showToast({ text: sentenceOf(asApiError(cause)) });
    }
  };

  return (
    <div className={classes.tools}>
      {canReply && (
        <ActionIcon size={24} aria-label={t('message.reply')} onClick={() => reply(message)}>
          <IconArrowBackUp size={16} aria-hidden="true" />
        </ActionIcon>
      )}
      <ActionMenu
        width={190}
        trigger={
          <ActionIcon size={24} aria-label={t('message.more')}>
            <IconDots size={16} aria-hidden="true" />
          </ActionIcon>
        }
        entries={() => [
          {
            key: 'copy',
            label: t('message.copy'),
            icon: <IconCopy size={16} stroke={1.7} aria-hidden="true" />,
            onSelect: copy,
          },
          ...(canEdit
            ? [
                {
                  key: 'edit',
                  label: t('message.edit'),
                  icon: <IconPencil size={16} stroke={1.7} aria-hidden="true" />,
                  onSelect: () => edit(message),
                },
              ]
            : []),
          {
            key: 'details',
            label: t('action.details'),
            icon: <IconListDetails size={16} stroke={1.7} aria-hidden="true" />,
            onSelect: () => setDetails(true),
          },
          ...(canDelete
            ? [
                {
                  key: 'delete',
                  label: t('action.delete'),
                  icon: <IconTrash size={16} stroke={1.7} aria-hidden="true" />,
                  danger: true,
                  onSelect: () => setAsking(true),
                },
              ]
            : []),
        ]}
      />
      <Lazily when={details}>
        <MessageDetails message={message} opened={details} onClose={() => setDetails(false)} />
      </Lazily>
      <Confirm
        opened={asking}
        title={t('message.delete.title')}
        text={t('message.delete.text')}
        action={t('action.delete')}
        onClose={() => setAsking(false)}
        onConfirm={() => void remove()}
      />
    </div>
  );
}
