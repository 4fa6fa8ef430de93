import { Menu } from '@mantine/core';
import { IconCheck, IconChevronDown } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { initials } from '../../components/Avatar';
import { t } from '../../i18n';
import classes from './CompanySwitch.module.css';
import { useInside } from './workspace-context';

export function CompanySwitch() {
  const { session, workspace } = useInside();
  const navigate = useNavigate();
  const mark = (name: string) => (
    <span className={classes.mark} aria-hidden="true">
      {initials(name) || '…'}
    </span>
  );
  const { name } = workspace.company;
  if (session.companies.length < 2) {
    return (
      <span className={classes.company}>
        {mark(name)}
        <span className={classes.name}>{name}</span>
      </span>
    );
  }
  return (
    <Menu position="bottom-end" width={260}>
      <Menu.Target>
        <button type="button" className={classes.company} aria-label={t('shell.company', { name })}>
          {mark(name)}
          <span className={classes.name}>{name}</span>
          <IconChevronDown size={15} stroke={2} aria-hidden="true" />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        {session.companies.map(({ company }) => (
          <Menu.Item
            key={company.id}
            leftSection={mark(company.name)}
            rightSection={
              company.id === workspace.company.id && (
                <IconCheck size={16} aria-label={t('shell.company.now')} />
              )
            }
            onClick={() =>
              void navigate({ to: '/c/$company/messages', params: { company: String(company.id) } })
            }
          >
            {company.name}
          </Menu.Item>
        ))}
      </Menu.Dropdown>
    </Menu>
  );
}
