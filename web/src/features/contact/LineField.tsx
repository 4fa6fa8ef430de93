import { ActionIcon, TextInput } from '@mantine/core';
import { IconCheck, IconPencil, IconX } from '@tabler/icons-react';
import { type ReactNode, useEffect, useRef } from 'react';
import type { Conversation } from '../../api/types';
import { t } from '../../i18n';
import { sentenceOf } from '../../i18n/errors';
import classes from './ContactPanel.module.css';
import { useCardField } from './useCardField';

/** A line of the card behind a pencil: name or phone. */
export function LineField({
  conversation,
  field,
  value,
  label,
  hint,
  inputMode,
  children,
}: {
  conversation: Conversation;
  field: 'name' | 'phone';
  value: string;
  label: string;
  /** What an emptied field means. */
  hint: string;
  inputMode?: 'tel';
  /** How it looks while nobody writes in it. */
  children: ReactNode;
}) {
  const { editing, text, theirs, busy, error, begin, write, save, cancel } = useCardField(
    conversation,
    field,
    value,
  );
  const pencil = useRef<HTMLButtonElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const asked = useRef(false);
  // The pencil hands the focus to the field, the field hands it back.
  useEffect(() => {
    if (!asked.current) return;
    asked.current = false;
    (editing ? input : pencil).current?.focus();
    if (editing) input.current?.select();
  }, [editing]);
  const leave = () => {
    asked.current = true;
    cancel();
  };
  const finish = async () => {
    asked.current = true;
    if (!(await save())) asked.current = false;
  };

  if (!editing) {
    return (
      <dd>
        <span className={classes.value}>{children}</span>
        <ActionIcon
          ref={pencil}
          size={24}
          className={classes.pencil}
          aria-label={t('contact.change', { field: label })}
          onClick={() => {
            asked.current = true;
            begin();
          }}
        >
          <IconPencil size={15} stroke={1.8} aria-hidden="true" />
        </ActionIcon>
      </dd>
    );
  }
  return (
    <dd>
      <form
        className={classes.form}
        noValidate
        onSubmit={(event) => {
          event.preventDefault();
          void finish();
        }}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          // Not the drawer, in which it stands.
          event.stopPropagation();
          leave();
        }}
      >
        <TextInput
          ref={input}
          className={classes.line}
          aria-label={label}
          value={text}
          maxLength={field === 'name' ? 120 : 40}
          inputMode={inputMode}
          autoComplete="off"
          description={theirs === null ? hint : t('contact.changed_meanwhile', { value: theirs || '—' })}
          inputWrapperOrder={['input', 'error', 'description']}
          error={error ? sentenceOf(error) : undefined}
          onChange={(event) => write(event.currentTarget.value)}
        />
        <ActionIcon
          type="submit"
          variant="filled"
          color="vasilek"
          loading={busy}
          aria-label={t('action.save')}
        >
          <IconCheck size={17} stroke={2} aria-hidden="true" />
        </ActionIcon>
        <ActionIcon aria-label={t('action.cancel')} onClick={leave}>
          <IconX size={17} stroke={1.8} aria-hidden="true" />
        </ActionIcon>
      </form>
    </dd>
  );
}
