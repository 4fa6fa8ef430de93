import { Popover } from '@mantine/core';
import { IconCheck, IconUserOff } from '@tabler/icons-react';
import { type ReactNode, useState } from 'react';
import { Avatar } from '../../components/Avatar';
import { useCombobox } from '../../components/useCombobox';
import { t } from '../../i18n';
import { matches } from '../search/match';
import classes from './AssigneePicker.module.css';
import { useConversationActions } from './actions';
import { useThread } from './thread-context';

interface Choice {
  member: number | null;
  name: string;
  icon: ReactNode;
}

/** Colleagues by name, narrowed by what is typed. */
export function AssigneeList({
  opened,
  onClose,
  onLeave,
}: {
  opened: boolean;
  /** Chosen or given up: the focus goes back. */
  onClose: () => void;
  /** Something else was pressed: it has the focus. */
  onLeave: () => void;
}) {
  return (
    <Popover opened={opened} onDismiss={onLeave} position="bottom-end" width={270} withinPortal trapFocus>
      <Popover.Target>
        <span className={classes.anchor} aria-hidden="true" />
      </Popover.Target>
      <Popover.Dropdown
        p={8}
        aria-label={t('conversation.assignee')}
        onKeyDown={(event) => {
          if (event.key !== 'Escape') return;
          event.stopPropagation();
          onClose();
        }}
      >
        {opened && <Choices onClose={onClose} />}
      </Popover.Dropdown>
    </Popover>
  );
}

function Choices({ onClose }: { onClose: () => void }) {
  const { workspace, conversation, members } = useThread();
  const actions = useConversationActions(conversation);
  const [query, setQuery] = useState('');
  const colleagues = Object.values(members)
    .filter((member) => member.id !== workspace.me.id)
    .sort((a, b) => a.name.localeCompare(b.name));
  const own = members[workspace.me.id]?.name ?? workspace.me.name;
  const all: Choice[] = [
    { member: workspace.me.id, name: t('conversation.assign_me'), icon: <Avatar name={own} size={22} /> },
    ...colleagues.map(({ id, name }) => ({ member: id, name, icon: <Avatar name={name} size={22} /> })),
    {
      member: null,
      name: t('conversation.assign_nobody'),
      icon: <IconUserOff size={18} stroke={1.7} aria-hidden="true" />,
    },
  ];
  // «Назначить на меня» is found by the own name too.
  const choices = all.filter(({ member, name }) =>
    matches(member === workspace.me.id ? `${name} ${own}` : name, query),
  );
  const choose = (place: number) => {
    const choice = choices[place];
    if (!choice) return;
    onClose();
    void actions.assign(choice.member);
  };
  const combobox = useCombobox({ count: choices.length, query, onChoose: choose });
  return (
    <>
      <input
        {...combobox.input}
        data-autofocus
        className={classes.field}
        aria-label={t('conversation.find_colleague')}
        placeholder={t('conversation.find_colleague')}
        value={query}
        onChange={(event) => setQuery(event.currentTarget.value)}
      />
      <div
        role="listbox"
        id={combobox.listId}
        className={classes.list}
        aria-label={t('conversation.assignee')}
      >
        {choices.map((choice, place) => {
          const chosen = choice.member === conversation.assignee_id;
          return (
            // biome-ignore lint/a11y/useKeyWithClickEvents: the keys of the field walk the list
            <div
              key={choice.member ?? 'nobody'}
              role="option"
              tabIndex={-1}
              {...combobox.option(place)}
              className={[
                classes.option,
                place === combobox.active && classes.active,
                chosen && classes.chosen,
              ]
                .filter(Boolean)
                .join(' ')}
              onClick={() => choose(place)}
            >
              <span className={classes.icon}>{choice.icon}</span>
              <span>{choice.name}</span>
              {chosen && (
                <IconCheck size={16} stroke={2.2} role="img" aria-label={t('conversation.chosen')} />
              )}
            </div>
          );
        })}
      </div>
      {choices.length === 0 && <p className={classes.none}>{t('search.nothing_short')}</p>}
    </>
  );
}
