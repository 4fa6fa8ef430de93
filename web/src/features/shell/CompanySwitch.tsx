import { IconChevronDown } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { ActionMenu } from '../../components/ActionMenu';
import { initials } from '../../components/Avatar';
import { t } from '../../i18n';
import classes from './CompanySwitch.module.css';
import { useCompany } from './names';
import { useInside } from './workspace-context';

export function CompanySwitch() {
  const { session, workspace } = useInside();
  const navigate = useNavigate();
  const mark = (name: string) => (
    <span className={classes.mark} aria-hidden="true">
      {initials(name) || '…'}
    </span>
  );
  const { name } = useCompany();
  if (session.companies.length < 2) {
    return (
      <span className={classes.company}>
        {mark(name)}
        <span className={classes.name}>{name}</span>
      </span>
    );
  }
  return (
    <ActionMenu
      width={260}
      trigger={
        <button type="button" className={classes.company} aria-label={t('shell.company', { name })}>
          {mark(name)}
          <span className={classes.name}>{name}</span>
          <IconChevronDown size={15} stroke={2} aria-hidden="true" />
        </button>
      }
      entries={() =>
        session.companies.map(({ company }) => ({
          key: String(company.id),
          label: company.name,
          icon: mark(company.name),
          checked: company.id === workspace.company.id,
          onSelect: () =>
            void navigate({ to: '/c/$company/messages', params: { company: String(company.id) } }),
        }))
      }
    />
  );
}
