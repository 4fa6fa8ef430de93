import { Modal, Switch } from '@mantine/core';
import { Fragment } from 'react';
import { t } from '../../i18n';
import { useValue } from '../../state/store';
import classes from './ShortcutDialog.module.css';
import { LOCAL_KEYS, SHORTCUTS, type Shortcut, singleKeys } from './shortcuts';

const APPLE = /Mac|iPhone|iPad/.test(navigator.userAgent);

/** How the keys are called on this machine. */
function keysOf({ code, alt, ctrl, shift }: Shortcut): string[] {
  if (code === 'Slash') return ['?'];
  return [
    ...(ctrl ? [APPLE ? '⌘' : 'Ctrl'] : []),
    ...(alt ? [APPLE ? '⌥' : 'Alt'] : []),
    ...(shift ? ['Shift'] : []),
    code.replace('Key', ''),
  ];
}

export function ShortcutDialog({ opened, onClose }: { opened: boolean; onClose: () => void }) {
  const single = useValue(singleKeys.store);
  const rows = [
    ...Object.values(SHORTCUTS).map((shortcut) => ({ keys: keysOf(shortcut), name: shortcut.name })),
    ...LOCAL_KEYS,
  ];
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={t('shortcuts.title')}
      size={520}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <dl className={classes.rows}>
        {rows.map(({ keys, name }) => (
          <Fragment key={name}>
            <dt>{t(name)}</dt>
            <dd>
              {keys.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dd>
          </Fragment>
        ))}
      </dl>
      <Switch
        className={classes.single}
        label={t('shortcuts.single')}
        description={t('shortcuts.single.text')}
        checked={single === 'on'}
        onChange={(event) => singleKeys.choose(event.currentTarget.checked ? 'on' : 'off')}
      />
    </Modal>
  );
}
