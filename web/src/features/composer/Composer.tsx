import { ActionIcon } from '@mantine/core';
import { IconArrowUp, IconCheck, IconPaperclip, IconPencil, IconUserOff, IconX } from '@tabler/icons-react';
import { type KeyboardEvent, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { editMessage } from '../../api/conversations';
import { asApiError } from '../../api/error';
import type { Message } from '../../api/types';
import { t } from '../../i18n';
import { sentenceOf } from '../../i18n/errors';
import { useStore } from '../../state/store';
import { useThread } from '../conversation/thread-context';
import { memberName, messageText } from '../conversation/words';
import { useInside } from '../shell/workspace-context';
import classes from './Composer.module.css';
import { FilePreview } from './FilePreview';
import { judgeFile } from './files';
import { useFileDrop } from './useFileDrop';

/** The counter appears when so few characters are left. */
const COUNT_FROM = 200;

/** Text and one file. What is written is a draft from the first letter; sending hands it to the outbox. */
export function Composer({
  editing,
  onEdited,
  onTyping,
}: {
  editing: Message | null;
  onEdited: () => void;
  onTyping: () => void;
}) {
  const { conversation } = useThread();
  if (!conversation.reachable) {
    return (
      <div className={classes.closed} role="status">
        <IconUserOff size={19} stroke={1.7} aria-hidden="true" />
        <p>{t('composer.unreachable')}</p>
      </div>
    );
  }
  return editing ? (
    <EditForm key={editing.id} message={editing} onDone={onEdited} />
  ) : (
    <ReplyForm onTyping={onTyping} />
  );
}

function ReplyForm({ onTyping }: { onTyping: () => void }) {
  const { workspace, conversation, channel } = useThread();
  const { socket } = useInside();
  const draft = useStore(workspace.drafts.store, () => workspace.drafts.of(conversation.id));
  const connected = useStore(socket.state, (state) => state.phase !== 'offline');
  const [problem, setProblem] = useState<string | null>(null);
  const field = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const { id } = conversation;
  const can = channel?.capabilities;

  const setDraft = useCallback(
    (change: Parameters<typeof workspace.drafts.change>[1]) => workspace.drafts.change(id, change),
    [workspace, id],
  );

  const take = useCallback(
    (files: readonly File[]) => {
      const [file] = files;
      if (!file || !can) return;
      const verdict = judgeFile(file, can);
      if (!verdict.ok) {
        const params = 'limitBytes' in verdict ? { limit_bytes: verdict.limitBytes } : {};
        setProblem(sentenceOf({ code: verdict.code, params, requestId: null }));
        return;
      }
      setProblem(files.length > 1 ? t('composer.one_file') : null);
      setDraft({ file });
      field.current?.focus();
    },
    [can, setDraft],
  );
  const form = useRef<HTMLFormElement>(null);
  const dropping = useFileDrop(form, take);

  const limit = can ? (draft.file ? can.caption_limit : can.text_limit) : Number.POSITIVE_INFINITY;
  const length = draft.text.trim().length;
  const tooLong = length > limit;
  const sendable = !tooLong && (length > 0 || draft.file !== null) && channel !== undefined;

  const send = () => {
    if (!sendable || !channel) return;
    const verdict = draft.file && can ? judgeFile(draft.file, can) : null;
    workspace.outbox.add({
      conversationId: id,
      channelId: channel.id,
      text: draft.text.trim(),
      file: draft.file,
      fileKind: verdict?.ok ? verdict.kind : null,
      replyToMessageId: draft.replyToMessageId,
    });
    workspace.drafts.clear(id);
    setProblem(null);
    field.current?.focus();
  };

  // On a phone the keyboard would cover what is to be read.
  useEffect(() => {
    if (matchMedia('(min-width: 720px)').matches) field.current?.focus();
  }, []);
  const replyTo = draft.replyToMessageId;
  useEffect(() => {
    if (replyTo !== null) field.current?.focus();
  }, [replyTo]);

  return (
    <form
      ref={form}
      className={classes.place}
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      {dropping && (
        <div className={classes.drop}>
          <IconPaperclip size={22} aria-hidden="true" />
          {t('composer.drop')}
        </div>
      )}
      <div className={classes.composer}>
        {replyTo !== null && (
          <ReplyQuote id={replyTo} onCancel={() => setDraft({ replyToMessageId: null })} />
        )}
        {draft.file && <FilePreview file={draft.file} onRemove={() => setDraft({ file: null })} />}
        {problem && (
          <p className={classes.problem} role="alert">
            {problem}
          </p>
        )}
        <Field
          ref={field}
          value={draft.text}
          label={t('composer.label')}
          placeholder={
            connected
              ? draft.file
                ? t('composer.caption')
                : t('composer.placeholder')
              : t('composer.placeholder.offline')
          }
          onChange={(text) => {
            setDraft({ text });
            if (text !== '') onTyping();
          }}
          onSend={send}
          onFiles={take}
          invalid={tooLong}
        />
        <div className={classes.bar}>
          <ActionIcon
            className={classes.tool}
            aria-label={t('composer.attach')}
            title={t('composer.attach')}
            disabled={!can || can.media.length === 0}
            onClick={() => picker.current?.click()}
          >
            <IconPaperclip size={20} stroke={1.7} aria-hidden="true" />
          </ActionIcon>
          <input
            ref={picker}
            type="file"
            hidden
            aria-label={t('composer.attach')}
            onChange={(event) => {
              take([...(event.currentTarget.files ?? [])]);
              event.currentTarget.value = '';
            }}
          />
          <span className={classes.grow} />
          <Counter length={length} limit={limit} />
          <span className={classes.hint}>{t('composer.enter_sends')}</span>
          <button type="submit" className={classes.send} disabled={!sendable} aria-label={t('composer.send')}>
            <IconArrowUp size={19} stroke={2.2} aria-hidden="true" />
          </button>
        </div>
      </div>
    </form>
  );
}

function EditForm({ message, onDone }: { message: Message; onDone: () => void }) {
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

/** Grows with its text up to two fifths of the window. Enter sends, Shift+Enter makes a line. */
function Field({
  ref,
  value,
  label,
  placeholder,
  invalid,
  onChange,
  onSend,
  onCancel,
  onFiles,
}: {
  ref: React.RefObject<HTMLTextAreaElement | null>;
  value: string;
  label: string;
  placeholder: string;
  invalid: boolean;
  onChange: (text: string) => void;
  onSend: () => void;
  onCancel?: () => void;
  onFiles?: (files: readonly File[]) => void;
}) {
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows the text
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    element.style.height = 'auto';
    element.style.height = `${Math.min(element.scrollHeight, window.innerHeight * 0.4)}px`;
  }, [value, ref]);

  const press = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    if (event.key === 'Escape' && onCancel) {
      event.preventDefault();
      onCancel();
      return;
    }
    if (event.key !== 'Enter' || event.shiftKey || event.altKey) return;
    // Enter that ends a composition (Chinese, Japanese, Korean input) is not ours; 229 is how Safari says so.
    if (event.nativeEvent.isComposing || event.keyCode === 229) return;
    event.preventDefault();
    onSend();
  };

  return (
    <textarea
      ref={ref}
      className={classes.field}
      rows={1}
      value={value}
      aria-label={label}
      aria-invalid={invalid || undefined}
      placeholder={placeholder}
      dir="auto"
      onChange={(event) => onChange(event.currentTarget.value)}
      onKeyDown={press}
      onPaste={(event) => {
        const files = [...event.clipboardData.files];
        // Text that came along with a picture is kept.
        if (files.length > 0 && onFiles) {
          if (event.clipboardData.getData('text/plain') === '') event.preventDefault();
          onFiles(files);
        }
      }}
    />
  );
}

function Counter({ length, limit }: { length: number; limit: number }) {
  const left = limit - length;
  if (left > COUNT_FROM) return null;
  return (
    <span className={`${classes.counter} ${left < 0 ? classes.over : ''}`} role="status">
      {left < 0 ? t('composer.too_long', { count: -left }) : t('composer.left', { count: left })}
    </span>
  );
}

function ReplyQuote({ id, onCancel }: { id: number; onCancel: () => void }) {
  const { workspace, conversation, members } = useThread();
  const quoted = useStore(workspace.store, (state) => state.entities.messages[conversation.id]?.[id]);
  const who =
    quoted?.direction === 'incoming'
      ? conversation.contact.name || t('message.quote.client')
      : memberName(members, quoted?.author_member_id ?? null);
  return (
    <div className={classes.quote}>
      <span>
        <b>{quoted ? who : t('message.quote.reply')}</b>
        <span>{quoted ? messageText(quoted) : ''}</span>
      </span>
      <ActionIcon size={24} aria-label={t('composer.cancel_reply')} onClick={onCancel}>
        <IconX size={16} aria-hidden="true" />
      </ActionIcon>
    </div>
  );
}
