import { IconPencil } from '@tabler/icons-react';
import { lazy, Suspense, useRef, useState } from 'react';
import { Avatar } from '../../components/Avatar';
import { t } from '../../i18n';
import { useShortcuts } from '../shell/shortcuts';
import classes from './AssigneePicker.module.css';
import { useThread } from './thread-context';
import { memberName } from './words';

const load = () => import('./AssigneeList');
const AssigneeList = lazy(() => load().then((module) => ({ default: module.AssigneeList })));

/** Who answers: to me, to a colleague, to nobody. The list is loaded when somebody comes near. */
export function AssigneePicker({
  byKey,
  pencil = false,
}: {
  /** Opened by the shortcut too. */
  byKey?: true;
  /** On the card, where other lines that can be changed have one. */
  pencil?: boolean;
}) {
  const { conversation, members } = useThread();
  const { assignee_id: assignee } = conversation;
  const name = assignee === null ? t('conversation.nobody') : memberName(members, assignee);
  const label = t('conversation.assignee_is', { name });
  const [asked, setAsked] = useState(false);
  const [opened, setOpened] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  // A press outside closes the list before the click arrives, and the button is outside of it.
  const pressedWhileOpen = useRef(false);
  useShortcuts(byKey ? { assign: () => button.current?.click() } : {});
  return (
    <span className={`${classes.place} ${pencil ? classes.line : ''}`}>
      <button
        ref={button}
        type="button"
        className={classes.assignee}
        aria-label={label}
        title={label}
        aria-haspopup="dialog"
        aria-expanded={opened}
        onPointerEnter={() => void load()}
        onFocus={() => void load()}
        onPointerDown={() => {
          pressedWhileOpen.current = opened;
        }}
        onClick={() => {
          setAsked(true);
          setOpened(!pressedWhileOpen.current);
          pressedWhileOpen.current = false;
        }}
      >
        <Avatar name={assignee === null ? '' : name} size={24} />
        <span className={classes.name}>{name}</span>
        {pencil && <IconPencil size={15} stroke={1.8} aria-hidden="true" />}
      </button>
      {asked && (
        <Suspense fallback={null}>
          <AssigneeList
            opened={opened}
            onClose={() => {
              setOpened(false);
              button.current?.focus();
            }}
            onLeave={() => setOpened(false)}
          />
        </Suspense>
      )}
    </span>
  );
}
