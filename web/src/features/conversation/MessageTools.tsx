import { ActionIcon, Menu } from '@mantine/core';
import { IconArrowBackUp, IconCopy, IconDots, IconPencil, IconTrash } from '@tabler/icons-react';
import { useState } from 'react';
import { deleteMessage } from '../../api/conversations';
import { asApiError } from '../../api/error';
import type { Message } from '../../api/types';
import { Confirm } from '../../components/Confirm';
import { showToast } from '../../components/Toasts';
import { t } from '../../i18n';
import { sentenceOf } from '../../i18n/errors';
import classes from './MessageTools.module.css';
import { useThread } from './thread-context';
import { messageText } from './words';

const CHANGEABLE = ['sent', 'delivered', 'read'];

/** Beside the bubble, never over its words: by pointer, by focus, always there on touch. */
export function MessageTools({ message }: { message: Message }) {
  const { workspace, conversation, channel, reply, edit } = useThread();
  const [asking, setAsking] = useState(false);
  const can = channel?.capabilities;
  const words = message.content.kind === 'text' ? message.content.text : '';
  const arrived = message.status !== null && CHANGEABLE.includes(message.status);
  const own = message.direction === 'outgoing' && arrived;
  const canReply = can?.reply === true && (message.direction === 'incoming' || arrived);
  const canEdit = own && can?.edit === true && message.content.kind === 'text' && words !== '';
  const canDelete = own && can?.delete === true;

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
      <Menu position="bottom-end" width={190}>
        <Menu.Target>
          <ActionIcon size={24} aria-label={t('message.more')}>
            <IconDots size={16} aria-hidden="true" />
          </ActionIcon>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            leftSection={<IconCopy size={16} stroke={1.7} aria-hidden="true" />}
            onClick={() => {
              navigator.clipboard?.writeText(messageText(message)).then(
                () => showToast({ text: t('message.copied') }),
                () => undefined,
              );
            }}
          >
            {t('message.copy')}
          </Menu.Item>
          {canEdit && (
            <Menu.Item
              leftSection={<IconPencil size={16} stroke={1.7} aria-hidden="true" />}
              onClick={() => edit(message)}
            >
              {t('message.edit')}
            </Menu.Item>
          )}
          {canDelete && (
            <Menu.Item
              color="red"
              leftSection={<IconTrash size={16} stroke={1.7} aria-hidden="true" />}
              onClick={() => setAsking(true)}
            >
              {t('action.delete')}
            </Menu.Item>
          )}
        </Menu.Dropdown>
      </Menu>
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
