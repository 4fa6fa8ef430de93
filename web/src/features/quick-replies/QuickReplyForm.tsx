import { ActionIcon, Button, Textarea, TextInput } from '@mantine/core';
import { IconDownload, IconUpload, IconX } from '@tabler/icons-react';
import { type DragEvent, useEffect, useRef, useState } from 'react';
import { type ApiError, asApiError } from '../../api/error';
import {
  addQuickReply,
  changeQuickReply,
  deleteQuickReply,
  deleteQuickReplyFile,
  putQuickReplyFile,
  quickReplyFileUrl,
} from '../../api/quick-replies';
import type { QuickReply } from '../../api/types';
import { Confirm } from '../../components/Confirm';
import { showToast } from '../../components/Toasts';
import { t } from '../../i18n';
import { sentenceOf } from '../../i18n/errors';
import { bytes, dateTime } from '../../i18n/format';
import { useStore } from '../../state/store';
import fileClasses from '../conversation/attachments/attachments.module.css';
import { fileIcon } from '../conversation/attachments/FileLine';
import { memberName } from '../conversation/words';
import { useInside } from '../shell/workspace-context';
import classes from './QuickReplyForm.module.css';

/** One saved answer: written anew, or changed. Nothing typed is lost when saving fails. */
export function QuickReplyForm({
  quickReply,
  onDirty,
  onSaved,
  onClose,
  onDeleted,
}: {
  quickReply: QuickReply | null;
  onDirty: (dirty: boolean) => void;
  onSaved: (saved: QuickReply) => void;
  onClose: () => void;
  onDeleted: () => void;
}) {
  const { workspace } = useInside();
  const members = useStore(workspace.store, (state) => state.entities.members);
  const company = workspace.company.id;
  const [name, setName] = useState(quickReply?.name ?? '');
  const [text, setText] = useState(quickReply?.text ?? '');
  /** Picked and not saved; null: the saved one is to go; undefined: as it is. */
  const [file, setFile] = useState<File | null | undefined>(undefined);
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const [asking, setAsking] = useState(false);
  const [over, setOver] = useState(false);
  const nameField = useRef<HTMLInputElement>(null);
  const textField = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const gone = quickReply !== null && quickReply.deleted_at !== null;
  const dirty = name !== (quickReply?.name ?? '') || text !== (quickReply?.text ?? '') || file !== undefined;
  useEffect(() => onDirty(dirty), [dirty, onDirty]);
  useEffect(() => () => onDirty(false), [onDirty]);
  useEffect(() => {
    const warn = (event: BeforeUnloadEvent) => event.preventDefault();
    if (!dirty) return;
    window.addEventListener('beforeunload', warn);
    return () => window.removeEventListener('beforeunload', warn);
  }, [dirty]);
  useEffect(() => nameField.current?.focus(), []);

  /** One that was added by a try whose file did not get through. */
  const added = useRef<QuickReply | null>(null);
  const save = async () => {
    if (busy) return;
    setBusy(true);
    setError(null);
    try {
      const known = quickReply ?? added.current;
      let saved = known
        ? await changeQuickReply(company, known.id, { name, text })
        : await addQuickReply(company, { name, text });
      added.current = saved;
      if (file) saved = await putQuickReplyFile(company, saved.id, file);
      else if (file === null && saved.file) saved = await deleteQuickReplyFile(company, saved.id);
      workspace.absorb({ quickReplies: [saved] });
      setName(saved.name);
      setText(saved.text);
      setFile(undefined);
      onDirty(false);
      showToast({ text: t('quick_replies.saved', { name: saved.name }) });
      onSaved(saved);
    } catch (cause) {
      const refusal = asApiError(cause);
      setError(refusal);
      const field = refusal.field === 'name' ? nameField : refusal.field === 'text' ? textField : null;
      field?.current?.focus();
    } finally {
      setBusy(false);
    }
  };

  const remove = async () => {
    if (!quickReply) return;
    try {
      workspace.absorb({ quickReplies: [await deleteQuickReply(company, quickReply.id)] });
      showToast({ text: t('quick_replies.deleted', { name: quickReply.name }) });
      onDeleted();
    } catch (cause) {
      setError(asApiError(cause));
    }
  };

  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    const [dropped] = event.dataTransfer.files;
    if (dropped) setFile(dropped);
  };
  const insert = (words: string) => {
    const { selectionStart = text.length, selectionEnd = text.length } = textField.current ?? {};
    setText(text.slice(0, selectionStart) + words + text.slice(selectionEnd));
    textField.current?.focus();
  };

  const saved = file === undefined ? quickReply?.file : null;
  const shown = file
    ? { name: file.name, size: file.size, mime: file.type }
    : saved && { name: saved.name, size: saved.size_bytes, mime: saved.mime_type };
  const icon = shown && fileIcon(shown.name, shown.mime);
  const at = (field: string) => (error?.field === field ? sentenceOf(error) : undefined);

  return (
    <form
      className={classes.panel}
      aria-label={quickReply ? quickReply.name : t('quick_replies.new')}
      onSubmit={(event) => {
        event.preventDefault();
        void save();
      }}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={drop}
    >
      <header className={classes.head}>
        <div>
          {quickReply && (
            <p>
              {t('quick_replies.changed', {
                name: memberName(members, quickReply.author_member_id),
                time: dateTime(quickReply.changed_at),
              })}
            </p>
          )}
          <h2>{quickReply?.name ?? t('quick_replies.new')}</h2>
        </div>
        <ActionIcon size={32} aria-label={t('action.close')} onClick={onClose}>
          <IconX size={19} aria-hidden="true" />
        </ActionIcon>
      </header>
      <div className={classes.body}>
        {gone && (
          <p className={classes.problem} role="alert">
            {t('quick_replies.gone')}
          </p>
        )}
        {error && !at('name') && !at('text') && (
          <p className={classes.problem} role="alert">
            {sentenceOf(error)}
          </p>
        )}
        <TextInput
          ref={nameField}
          label={t('quick_replies.name')}
          description={t('quick_replies.name.hint')}
          inputWrapperOrder={['label', 'input', 'error', 'description']}
          maxLength={120}
          required
          value={name}
          error={at('name')}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <Textarea
          ref={textField}
          label={t('quick_replies.text')}
          description={t('quick_replies.text.hint')}
          inputWrapperOrder={['label', 'input', 'error', 'description']}
          maxLength={4096}
          rows={6}
          required
          value={text}
          error={at('text')}
          onChange={(event) => setText(event.currentTarget.value)}
        />
        <p className={classes.insert}>
          {t('quick_replies.insert')}{' '}
          <button type="button" onClick={() => insert('@name@')}>
            @name@
          </button>
        </p>
        {shown && icon && (
          <div className={`${fileClasses.file} ${classes.file}`}>
            <span className={`${fileClasses.icon} ${icon.look}`}>
              <icon.Icon size={22} stroke={1.6} aria-hidden="true" />
            </span>
            <span className={fileClasses.names}>
              <b>{shown.name}</b>
              <small>{bytes(shown.size)}</small>
            </span>
            {saved && quickReply && (
              <ActionIcon
                component="a"
                size={28}
                href={quickReplyFileUrl(company, quickReply.id)}
                download={saved.name}
                aria-label={t('quick_replies.file.download', { name: saved.name })}
              >
                <IconDownload size={17} aria-hidden="true" />
              </ActionIcon>
            )}
            <ActionIcon
              size={28}
              aria-label={t('quick_replies.file.remove', { name: shown.name })}
              onClick={() => setFile(quickReply?.file ? null : undefined)}
            >
              <IconX size={17} aria-hidden="true" />
            </ActionIcon>
          </div>
        )}
        <button
          type="button"
          className={`${classes.drop} ${over ? classes.over : ''}`}
          onClick={() => picker.current?.click()}
        >
          <IconUpload size={20} stroke={1.7} aria-hidden="true" />
          <span>
            <b>{t('quick_replies.file.choose')}</b>
            <small>{t('quick_replies.file.drop')}</small>
          </span>
        </button>
        <input
          ref={picker}
          type="file"
          hidden
          aria-label={t('quick_replies.file.choose')}
          onChange={(event) => {
            const [picked] = event.currentTarget.files ?? [];
            if (picked) setFile(picked);
            event.currentTarget.value = '';
          }}
        />
      </div>
      <footer className={classes.foot}>
        {quickReply && !gone && (
          <Button variant="subtle" color="red" onClick={() => setAsking(true)}>
            {t('action.delete')}
          </Button>
        )}
        <span className={classes.grow} />
        <Button variant="default" onClick={onClose}>
          {t('action.cancel')}
        </Button>
        <Button type="submit" loading={busy} disabled={gone || (quickReply !== null && !dirty)}>
          {t('action.save')}
        </Button>
      </footer>
      <Confirm
        opened={asking}
        title={t('quick_replies.delete.title', { name: quickReply?.name ?? '' })}
        text={t('quick_replies.delete.text')}
        action={t('action.delete')}
        onClose={() => setAsking(false)}
        onConfirm={() => void remove()}
      />
    </form>
  );
}
