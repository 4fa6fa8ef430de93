import { Menu } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import type { MenuEntry, MenuProps } from './ActionMenu';
import classes from './ActionMenu.module.css';

export function MenuBody({
  entries,
  opened,
  onChange,
  position = 'bottom-end',
  width = 230,
}: MenuProps & { opened: boolean; onChange: (opened: boolean) => void }) {
  return (
    <Menu opened={opened} onChange={onChange} position={position} width={width} returnFocus>
      <Menu.Target>
        <span className={classes.anchor} aria-hidden="true" />
      </Menu.Target>
      <Menu.Dropdown>{opened && entries().map(draw)}</Menu.Dropdown>
    </Menu>
  );
}

function draw(entry: MenuEntry) {
  if ('divider' in entry) return <Menu.Divider key={entry.key} />;
  if ('heading' in entry) return <Menu.Label key={entry.key}>{entry.heading}</Menu.Label>;
  if ('content' in entry) return <div key={entry.key}>{entry.content}</div>;
  const common = {
    lang: entry.lang,
    color: entry.danger ? 'red' : undefined,
    disabled: entry.disabled,
    closeMenuOnClick: !entry.stayOpen,
    rightSection: entry.right,
  };
  if (entry.checked === undefined) {
    return (
      <Menu.Item key={entry.key} {...common} leftSection={entry.icon} onClick={entry.onSelect}>
        {entry.label}
      </Menu.Item>
    );
  }
  const choice = {
    ...common,
    checked: entry.checked,
    checkIcon: <IconCheck size={16} stroke={2.2} aria-hidden="true" />,
    className: entry.checked ? classes.checked : undefined,
    onChange: entry.onSelect,
    children: (
      <span className={classes.choice}>
        {entry.icon}
        {entry.label}
      </span>
    ),
  };
  return entry.several ? (
    <Menu.CheckboxItem key={entry.key} {...choice} />
  ) : (
    <Menu.RadioItem key={entry.key} {...choice} value={entry.key} />
  );
}
