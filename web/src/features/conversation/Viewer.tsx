import { ActionIcon, Modal } from '@mantine/core';
import { IconChevronLeft, IconChevronRight, IconDownload, IconX } from '@tabler/icons-react';
import { useEffect } from 'react';
import { attachmentUrl } from '../../api/files';
import type { Attachment, Message } from '../../api/types';
import { t } from '../../i18n';
import { useStore, useValue } from '../../state/store';
import { useInside } from '../shell/workspace-context';
import classes from './Viewer.module.css';
import { closeViewer, openViewer, viewed } from './viewer';

/** Pictures and videos of the conversation, one at a time, arrows between them. */
export function Viewer() {
  const now = useValue(viewed);
  const { workspace } = useInside();
  const held = useStore(workspace.store, (state) =>
    now ? state.entities.messages[now.message.conversation_id] : undefined,
  );
  const all: { message: Message; attachment: Attachment }[] = Object.values(held ?? {})
    .filter((message) => message.deleted_at === null)
    .sort((a, b) => a.position - b.position || a.ordinal - b.ordinal || a.id - b.id)
    .flatMap((message) =>
      message.attachments
        .filter((file) => file.state === 'ready' && (file.kind === 'photo' || file.kind === 'video'))
        .map((attachment) => ({ message, attachment })),
    );
  const index = all.findIndex(({ attachment }) => attachment.id === now?.attachmentId);
  const current = all[index];

  const go = (step: number) => {
    const next = all[index + step];
    if (now && next) openViewer({ ...now, message: next.message, attachmentId: next.attachment.id });
  };
  useEffect(() => {
    if (!current) return;
    const press = (event: KeyboardEvent) => {
      if (event.code === 'ArrowLeft') go(-1);
      if (event.code === 'ArrowRight') go(1);
    };
    window.addEventListener('keydown', press);
    return () => window.removeEventListener('keydown', press);
  });

  if (!current) return null;
  const url = attachmentUrl(workspace.company.id, current.attachment.id);
  return (
    <Modal
      opened
      onClose={closeViewer}
      fullScreen
      withCloseButton={false}
      title={undefined}
      classNames={{ content: classes.content, body: classes.body }}
      aria-label={t('viewer.title')}
    >
      <div className={classes.tools}>
        <ActionIcon
          component="a"
          href={url}
          download
          variant="transparent"
          size={44}
          aria-label={t('viewer.download')}
        >
          <IconDownload size={22} aria-hidden="true" />
        </ActionIcon>
        <ActionIcon
          variant="transparent"
          size={44}
          aria-label={t('action.close')}
          onClick={closeViewer}
          data-autofocus
        >
          <IconX size={24} aria-hidden="true" />
        </ActionIcon>
      </div>
      <ActionIcon
        className={classes.previous}
        variant="transparent"
        size={44}
        disabled={index === 0}
        aria-label={t('viewer.previous')}
        onClick={() => go(-1)}
      >
        <IconChevronLeft size={28} aria-hidden="true" />
      </ActionIcon>
      {current.attachment.kind === 'photo' ? (
        <img src={url} alt={t('attachment.photo')} className={classes.media} />
      ) : (
        // biome-ignore lint/a11y/useMediaCaption: clients send no captions with their videos
        <video src={url} controls autoPlay className={classes.media} aria-label={t('attachment.video')} />
      )}
      <ActionIcon
        className={classes.next}
        variant="transparent"
        size={44}
        disabled={index === all.length - 1}
        aria-label={t('viewer.next')}
        onClick={() => go(1)}
      >
        <IconChevronRight size={28} aria-hidden="true" />
      </ActionIcon>
    </Modal>
  );
}
