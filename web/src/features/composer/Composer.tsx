import { ActionIcon } from '@mantine/core';
import {
  IconArrowUp,
  IconBolt,
  IconCheck,
  IconHistory,
  IconLock,
  IconMoodSmile,
  IconPaperclip,
  IconPlugConnectedX,
  IconUserOff,
  IconX,
  type Icon as TablerIcon,
} from '@tabler/icons-react';
import {
  type KeyboardEvent,
  lazy,
  type ReactNode,
  Suspense,
  useCallback,
  useEffect,
  useRef,
  useState,
} from 'react';
import { asApiError } from '../../api/error';
import { getQuickReplyFile } from '../../api/quick-replies';
import type { Message, QuickReply } from '../../api/types';
import { ActionMenu } from '../../components/ActionMenu';
import { t } from '../../i18n';
import { sentenceOf } from '../../i18n/errors';
import { useStore, useValue } from '../../state/store';
import { isDeleted } from '../channels/words';
import { useThread } from '../conversation/thread-context';
import { memberName, messageText } from '../conversation/words';
import { useShortcuts } from '../shell/shortcuts';
import { useInside } from '../shell/workspace-context';
import classes from './Composer.module.css';
import { Counter } from './Counter';
import { EditForm } from './EditForm';
import { Field } from './Field';
import { FilePreview } from './FilePreview';
import { addFiles, goesApart, partsOf } from './files';
import { askedAt, fill, LIST_ID, matching, offered, optionId, plainSlash } from './quick-replies';
import { chooseSendKey, sendKey } from './send-key';
import { useFileDrop } from './useFileDrop';
import { useMissed } from './useMissed';

const EmojiPicker = lazy(() => import('./EmojiPicker'));
const QuickReplyList = lazy(() => import('./QuickReplyList'));

/** No channel bounds a note; the server does. */
const NOTE_LIMIT = 10_000;

/**
 * An answer to the client, or a note that the client never sees. What is written is a draft from the
 * first letter; sending hands it to the outbox.
 */
export function Composer({
  editing,
  onEdited,
  onTyping,
}: {
  editing: Message | null;
  onEdited: () => void;
  onTyping: () => void;
}) {
  const { workspace, conversation, channel } = useThread();
  const [tab, setTab] = useState<'reply' | 'note'>(() => {
    const { text, note } = workspace.drafts.of(conversation.id);
    return text === '' && note !== '' ? 'note' : 'reply';
  });
  /** Why files were not taken. */
  const refusals = useState<string[]>([]);
  const toTab = (next: 'reply' | 'note') => {
    setTab(next);
    focusField();
  };
  useShortcuts({ reply: () => toTab('reply'), note: () => toTab('note') });

  // The other field takes over the focus; the first one takes it by its own rule.
  const shownTab = useRef(tab);
  useEffect(() => {
    if (shownTab.current === tab) return;
    shownTab.current = tab;
    focusField();
  }, [tab]);

  if (editing) return <EditForm key={editing.id} message={editing} onDone={onEdited} />;
  const tabs = <Tabs tab={tab} onTab={setTab} />;
  const [problems, setProblems] = refusals;
  if (tab === 'note') {
    return (
      <NoteForm
        tabs={tabs}
        onFiles={(refused) => {
          setProblems(refused);
          setTab('reply');
        }}
      />
    );
  }
  if (channel && isDeleted(channel)) {
    return (
      <Closed tabs={tabs} Icon={IconPlugConnectedX}>
        {t('composer.channel_deleted', { name: channel.name })}
      </Closed>
    );
  }
  return conversation.reachable ? (
    <ReplyForm onTyping={onTyping} tabs={tabs} problems={problems} setProblems={setProblems} />
  ) : (
    <Closed tabs={tabs} Icon={IconUserOff}>
      {t('composer.unreachable')}
    </Closed>
  );
}

/** No answer can be written here, and why. A note still can. */
function Closed({ tabs, Icon, children }: { tabs: ReactNode; Icon: TablerIcon; children: string }) {
  return (
    <div className={classes.place}>
      <div className={classes.composer}>
        {tabs}
        <div className={classes.closed} role="status">
          <Icon size={19} stroke={1.7} aria-hidden="true" />
          <p>{children}</p>
        </div>
      </div>
    </div>
  );
}

const focusField = () => document.querySelector<HTMLTextAreaElement>('[data-composer] textarea')?.focus();

function Tabs({ tab, onTab }: { tab: 'reply' | 'note'; onTab: (tab: 'reply' | 'note') => void }) {
  return (
    <fieldset className={classes.tabs} aria-label={t('composer.tabs')}>
      {(['reply', 'note'] as const).map((one) => (
        <button
          key={one}
          type="button"
          aria-pressed={tab === one}
          title={one === 'reply' ? 'Alt+L' : 'Alt+P'}
          onClick={() => onTab(one)}
        >
          {t(`composer.tab.${one}`)}
        </button>
      ))}
    </fieldset>
  );
}

function NoteForm({ tabs, onFiles }: { tabs: ReactNode; onFiles: (refused: string[]) => void }) {
  const { workspace, conversation, channel } = useThread();
  const draft = useStore(workspace.drafts.store, () => workspace.drafts.of(conversation.id));
  const field = useRef<HTMLTextAreaElement>(null);
  const text = draft.note.trim();
  const sendable = text.length > 0 && text.length <= NOTE_LIMIT;
  const form = useRef<HTMLFormElement>(null);
  // A note carries no files: they are meant for the client.
  const take = (files: readonly File[]) => {
    if (files.length === 0 || !channel) return;
    const { drafts } = workspace;
    const added = addFiles(drafts.of(conversation.id).files, files, channel.capabilities);
    drafts.change(conversation.id, { files: added.files });
    onFiles(added.refused);
  };
  const dropping = useFileDrop(form, take);

  const send = () => {
    if (!sendable) return;
    workspace.outbox.add({
      conversationId: conversation.id,
      channelId: conversation.channel_id,
      text,
      file: null,
      fileKind: null,
      replyToMessageId: null,
      note: true,
    });
    workspace.drafts.change(conversation.id, { note: '' });
    field.current?.focus();
  };

  return (
    <>
      {dropping && <DropTarget />}
      <form
        ref={form}
        className={classes.place}
        data-composer=""
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <div className={`${classes.composer} ${classes.note}`}>
          <div className={classes.top}>
            {tabs}
            <span className={classes.unseen}>
              <IconLock size={14} stroke={1.8} aria-hidden="true" />
              {t('message.note.unseen')}
            </span>
          </div>
          <Field
            ref={field}
            value={draft.note}
            label={t('composer.note.label')}
            placeholder={t('composer.note.placeholder')}
            onChange={(note) => workspace.drafts.change(conversation.id, { note })}
            onSend={send}
            onFiles={take}
            invalid={text.length > NOTE_LIMIT}
          />
          <div className={classes.bar}>
            <span className={classes.grow} />
            <Counter length={text.length} limit={NOTE_LIMIT} />
            <SendHint />
            <button
              type="submit"
              className={classes.send}
              disabled={!sendable}
              aria-label={t('composer.note.send')}
            >
              <IconArrowUp size={19} stroke={2.2} aria-hidden="true" />
            </button>
          </div>
        </div>
      </form>
    </>
  );
}

function DropTarget() {
  return (
    <div className={classes.drop}>
      <IconPaperclip size={22} aria-hidden="true" />
      {t('composer.drop')}
    </div>
  );
}

function ReplyForm({
  onTyping,
  tabs,
  problems,
  setProblems,
}: {
  onTyping: () => void;
  tabs: ReactNode;
  problems: string[];
  setProblems: (problems: string[]) => void;
}) {
  const { workspace, conversation, channel, edit, jumpTo } = useThread();
  const { socket } = useInside();
  const { id } = conversation;
  const draft = useStore(workspace.drafts.store, () => workspace.drafts.of(id));
  const connected = useStore(socket.state, (state) => state.phase !== 'offline');
  const held = useStore(workspace.store, (state) => state.entities.quickReplies);
  const [emoji, setEmoji] = useState(false);
  const [caret, setCaret] = useState(0);
  const [active, setActive] = useState(0);
  /** Where the list was closed by hand; it stays closed for that slash. */
  const [closedAt, setClosedAt] = useState<number | null>(null);
  const [missed, forgetMissed] = useMissed(workspace, socket, id);
  const field = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const form = useRef<HTMLFormElement>(null);
  const can = channel?.capabilities;

  const setDraft = useCallback(
    (change: Parameters<typeof workspace.drafts.change>[1]) => workspace.drafts.change(id, change),
    [workspace, id],
  );

  const take = useCallback(
    (files: readonly File[]) => {
      if (files.length === 0 || !can) return;
      const { files: all, refused } = addFiles(workspace.drafts.of(id).files, files, can);
      setProblems(refused);
      setDraft({ files: all });
      field.current?.focus();
    },
    [can, workspace, id, setDraft, setProblems],
  );
  const dropping = useFileDrop(form, take);

  const text = draft.text.trim();
  const apart = can !== undefined && goesApart(text, draft.files, can);
  const limit = can?.text_limit ?? Number.POSITIVE_INFINITY;
  const tooLong = text.length > limit;
  const sendable = !tooLong && (text.length > 0 || draft.files.length > 0) && channel !== undefined;

  const send = () => {
    if (!sendable || !channel || !can) return;
    for (const [place, part] of partsOf(text, draft.files, can).entries()) {
      workspace.outbox.add({
        ...part,
        conversationId: id,
        channelId: channel.id,
        replyToMessageId: place === 0 ? draft.replyToMessageId : null,
      });
    }
    setDraft({ text: '', files: [], replyToMessageId: null });
    setProblems([]);
    forgetMissed();
    field.current?.focus();
  };

  // Quick replies
  const all = offered(held);
  const asked = askedAt(draft.text, Math.min(caret, draft.text.length));
  const found = asked ? matching(all, asked.words) : [];
  const open = asked !== null && asked.from !== closedAt && (found.length > 0 || asked.words === '');
  const place = Math.min(active, Math.max(0, found.length - 1));

  /** Puts words where the caret is, or over a part of the text, and the caret behind them. */
  const insert = (words: string, from: number, to: number) => {
    const next = draft.text.slice(0, from) + words + draft.text.slice(to);
    setDraft({ text: next });
    setCaret(from + words.length);
    requestAnimationFrame(() => {
      field.current?.focus();
      field.current?.setSelectionRange(from + words.length, from + words.length);
    });
  };
  const atCaret = (words: string) => {
    const { selectionStart = draft.text.length, selectionEnd = draft.text.length } = field.current ?? {};
    insert(words, selectionStart, selectionEnd);
  };

  const choose = (chosen: QuickReply) => {
    if (!asked) return;
    insert(fill(chosen.text, conversation), asked.from, asked.from + asked.words.length + 1);
    setActive(0);
    if (!chosen.file) return;
    getQuickReplyFile(workspace.company.id, chosen).then(
      (file) => take([file]),
      (cause) => setProblems([sentenceOf(asApiError(cause))]),
    );
  };

  const onKey = (event: KeyboardEvent<HTMLTextAreaElement>): boolean => {
    if (open) {
      const chosen = found[place];
      if (event.key === 'Escape') {
        setClosedAt(asked.from);
        return true;
      }
      if ((event.key === 'ArrowDown' || event.key === 'ArrowUp') && found.length > 0) {
        const step = event.key === 'ArrowDown' ? 1 : -1;
        setActive((place + step + found.length) % found.length);
        return true;
      }
      if ((event.key === 'Enter' || event.key === 'Tab') && !event.shiftKey && chosen) {
        choose(chosen);
        return true;
      }
      return false;
    }
    if (event.key === 'ArrowUp' && draft.text === '' && draft.files.length === 0) {
      const last = lastOwn(workspace.store.get().entities.messages[id] ?? {}, workspace.me.id);
      if (!last || can?.edit !== true) return false;
      edit(last);
      return true;
    }
    return false;
  };

  const change = (next: string, at: number) => {
    const plain = plainSlash(next, at);
    if (plain !== null) {
      setDraft({ text: plain });
      setCaret(at - 1);
      setClosedAt(at - 2);
      requestAnimationFrame(() => field.current?.setSelectionRange(at - 1, at - 1));
    } else {
      setDraft({ text: next });
      setCaret(at);
      setActive(0);
      if (closedAt !== null && next[closedAt] !== '/') setClosedAt(null);
    }
    if (next !== '') onTyping();
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
    <>
      {dropping && <DropTarget />}
      <form
        ref={form}
        className={classes.place}
        data-composer=""
        onSubmit={(event) => {
          event.preventDefault();
          send();
        }}
      >
        <div className={classes.anchor}>
          {open && (
            <Suspense fallback={null}>
              <QuickReplyList
                found={found}
                total={all.length}
                active={place}
                onActive={setActive}
                onChoose={choose}
              />
            </Suspense>
          )}
          {emoji && (
            <Suspense fallback={null}>
              <EmojiPicker
                onChoose={(chosen) => {
                  setEmoji(false);
                  atCaret(chosen);
                }}
                onClose={() => {
                  setEmoji(false);
                  field.current?.focus();
                }}
              />
            </Suspense>
          )}
        </div>
        {missed && (
          <div className={classes.missed} role="status">
            <IconHistory size={17} stroke={1.7} aria-hidden="true" />
            <span>{t('composer.missed', { count: missed.count })}</span>
            <button
              type="button"
              onClick={() => {
                jumpTo(missed.first);
                forgetMissed();
              }}
            >
              {t('composer.missed.show')}
            </button>
            <ActionIcon size={24} aria-label={t('action.close')} onClick={forgetMissed}>
              <IconX size={15} aria-hidden="true" />
            </ActionIcon>
          </div>
        )}
        <div className={classes.composer}>
          {tabs}
          {replyTo !== null && (
            <ReplyQuote id={replyTo} onCancel={() => setDraft({ replyToMessageId: null })} />
          )}
          {draft.files.length > 0 && (
            <ul className={classes.files} aria-label={t('composer.files')}>
              {draft.files.map((file, index) => (
                <FilePreview
                  // Two files may share their name: the place tells them apart.
                  // biome-ignore lint/suspicious/noArrayIndexKey: see above
                  key={`${index}/${file.name}/${file.size}`}
                  file={file}
                  onRemove={() => setDraft({ files: draft.files.filter((_, other) => other !== index) })}
                />
              ))}
            </ul>
          )}
          {problems.length > 0 && (
            <div className={classes.problem} role="alert">
              {problems.map((problem) => (
                <p key={problem}>{problem}</p>
              ))}
            </div>
          )}
          {apart && !tooLong && (
            <p className={classes.apart} role="status">
              {t('composer.apart')}
            </p>
          )}
          <Field
            ref={field}
            value={draft.text}
            label={t('composer.label')}
            placeholder={
              connected
                ? t(draft.files.length > 0 ? 'composer.caption' : 'composer.placeholder')
                : t('composer.placeholder.offline')
            }
            list={open ? { id: LIST_ID, active: found[place] && optionId(found[place].id) } : undefined}
            onChange={change}
            onSend={send}
            onKey={onKey}
            onFiles={take}
            invalid={tooLong}
          />
          <div className={classes.bar}>
            <ActionIcon
              className={`${classes.tool} ${classes.emoji}`}
              aria-label={t('composer.emoji')}
              title={t('composer.emoji')}
              aria-expanded={emoji}
              data-emoji-button=""
              onClick={() => setEmoji(!emoji)}
            >
              <IconMoodSmile size={20} stroke={1.7} aria-hidden="true" />
            </ActionIcon>
            <ActionIcon
              className={`${classes.tool} ${classes.quick}`}
              aria-label={t('quick_replies.title')}
              title={t('quick_replies.title')}
              aria-expanded={open}
              onClick={() => {
                if (open) return;
                setClosedAt(null);
                const at = field.current?.selectionStart ?? draft.text.length;
                atCaret(at === 0 || /\s/.test(draft.text[at - 1] ?? ' ') ? '/' : ' /');
              }}
            >
              <IconBolt size={20} stroke={1.7} aria-hidden="true" />
            </ActionIcon>
            <ActionIcon
              className={`${classes.tool} ${classes.clip}`}
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
              multiple
              hidden
              aria-label={t('composer.attach')}
              onChange={(event) => {
                take([...(event.currentTarget.files ?? [])]);
                event.currentTarget.value = '';
              }}
            />
            <span className={classes.grow} />
            <Counter length={text.length} limit={limit} />
            <SendHint />
            <button
              type="submit"
              className={classes.send}
              disabled={!sendable}
              aria-label={t('composer.send')}
            >
              <IconArrowUp size={19} stroke={2.2} aria-hidden="true" />
            </button>
          </div>
        </div>
      </form>
    </>
  );
}

/** Says by which key a message goes, and lets it be chosen. */
function SendHint() {
  const key = useValue(sendKey);
  return (
    <ActionMenu
      className={classes.hint}
      width={230}
      position="bottom-end"
      trigger={
        <button type="button">
          {t(key === 'enter' ? 'composer.enter_sends' : 'composer.ctrl_enter_sends')}
        </button>
      }
      entries={() =>
        (['enter', 'ctrl_enter'] as const).map((one) => ({
          key: one,
          label: t(one === 'enter' ? 'composer.enter_sends' : 'composer.ctrl_enter_sends'),
          icon: <IconCheck size={16} opacity={key === one ? 1 : 0} aria-hidden="true" />,
          checked: key === one,
          onSelect: () => chooseSendKey(one),
        }))
      }
    />
  );
}

const CHANGEABLE = ['sent', 'delivered', 'read'];

/** The last message of this member, if it can still be changed. */
function lastOwn(held: Record<number, Message>, me: number): Message | undefined {
  const [last] = Object.values(held)
    .filter((message) => message.direction === 'outgoing' && message.author_member_id === me)
    .sort((a, b) => b.position - a.position || b.id - a.id);
  const { content, status, deleted_at } = last ?? {};
  const changeable = status && CHANGEABLE.includes(status) && deleted_at === null;
  return changeable && content?.kind === 'text' && content.text !== '' ? last : undefined;
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
