import { ActionIcon } from '@mantine/core';
import { IconCheck, IconPencil, IconX } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { editMessage } from '../../api/conversations';
import { asApiError } from '../../api/error';
import type { Message } from '../../api/types';
import { t } from '../../i18n';
import { sentenceOf } from '../../i18n/errors';
import { useThread } from '../conversation/thread-context';
import classes from './Composer.module.css';
import { Counter } from './Counter';
import { Field } from './Field';

/** Takes the place of the composer while a message of ours is being changed. */
export function EditForm({ message, onDone }: { message: Message; onDone: () => void }) {
  const { workspace, conversation, channel } = useThread();
  const before = message.content.kind === 'text' ? message.content.text : '';
  const [text, setText] = useState(before);
  const [problem, setProblem] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const can = channel?.capabilities;
  const limit = can
    ? message.attachments.length > 0
      ? can.caption_limit
      : can.text_limit
    : Number.POSITIVE_INFINITY;
  const length = text.trim().length;
  const savable = length > 0 && length <= limit && text.trim() !== before && !busy;

  useEffect(() => {
    const element = field.current;
    element?.focus();
    element?.setSelectionRange(element.value.length, element.value.length);
  }, []);

  const save = async () => {
    if (!savable) return;
    setBusy(true);
    setProblem(null);
    try {
      const changed = await editMessage(workspace.company.id, conversation.id, message.id, text.trim());
      workspace.absorb({ messages: [changed] });
      onDone();
    } catch (cause) {
      setProblem(sentenceOf(asApiError(cause)));
      setBusy(false);
    }
  };

  return (
    <form
      className={classes.place}
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
    >
      <div className={classes.composer}>
        <div className={classes.quote}>
          <IconPencil size={16} aria-hidden="true" />
          <span>
            <b>{t('composer.editing')}</b>
            <span>{before}</span>
          </span>
          <ActionIcon size={24} aria-label={t('action.cancel')} onClick={onDone}>
            <IconX size={16} aria-hidden="true" />
          </ActionIcon>
        </div>
        {problem && (
          <p className={classes.problem} role="alert">
            {problem}
          </p>
        )}
        <Field
          ref={field}
          value={text}
          label={t('composer.editing')}
          placeholder=""
          onChange={setText}
          onSend={() => void save()}
          onCancel={onDone}
          invalid={length > limit}
        />
        <div className={classes.bar}>
          <span className={classes.grow} />
          <Counter length={length} limit={limit} />
          <button type="submit" className={classes.send} disabled={!savable} aria-label={t('action.save')}>
            <IconCheck size={19} stroke={2.2} aria-hidden="true" />
          </button>
        </div>
      </div>
    </form>
  );
}
