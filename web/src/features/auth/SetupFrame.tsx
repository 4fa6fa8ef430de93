import {
  IconAlertTriangle,
  IconCheck,
  IconDatabase,
  IconFolder,
  IconPlug,
  IconWorld,
} from '@tabler/icons-react';
import type { ReactNode } from 'react';
import type { SetupCheck } from '../../api/types';
import { Logo } from '../../components/Logo';
import { Skeleton } from '../../components/Skeleton';
import { t, tByCode } from '../../i18n';
import { LanguageSwitch } from './LanguageSwitch';
import classes from './SetupFrame.module.css';

const ICONS: Record<string, typeof IconPlug> = {
  database: IconDatabase,
  files: IconFolder,
  public_url: IconWorld,
};

/** Steps and the server's own checks at the left, the form at the right. */
export function SetupFrame({ checks, children }: { checks: SetupCheck[] | null; children: ReactNode }) {
  const done = checks?.every((check) => check.ok) ?? false;
  return (
    <div className={classes.page}>
      <aside className={classes.side}>
        <div className={classes.word}>
          <Logo size={34} />
          <b>{t('product.name')}</b>
        </div>
        <ol className={classes.steps} aria-label={t('setup.steps')}>
          <li className={done ? classes.done : undefined}>
            <i aria-hidden="true">{done ? <IconCheck size={14} stroke={3} /> : 1}</i>
            {t('setup.steps.server')}
          </li>
          <li className={classes.now} aria-current="step">
            <i aria-hidden="true">2</i>
            {t('setup.steps.company')}
          </li>
          <li>
            <i aria-hidden="true">3</i>
            {t('setup.steps.channel')}
          </li>
        </ol>
        <section className={`${classes.server} ${done ? classes.fine : ''}`} aria-label={t('setup.server')}>
          <h2>{t('setup.server')}</h2>
          {checks ? (
            checks.map((check) => <Check key={check.name} check={check} />)
          ) : (
            <Skeleton lines={3} label={t('setup.server.checking')} />
          )}
        </section>
        <div className={classes.languages}>
          <LanguageSwitch />
        </div>
      </aside>
      <main className={classes.main}>{children}</main>
    </div>
  );
}

function Check({ check }: { check: SetupCheck }) {
  const Icon = ICONS[check.name] ?? IconPlug;
  return (
    <div className={classes.check}>
      <Icon size={18} stroke={1.6} aria-hidden="true" />
      <span>
        <b>{tByCode(`setup.check.${check.name}`) ?? check.name}</b>
        {/* What works is told in the words of the interface; what does not, as the server says it. */}
        <small>{(check.ok && tByCode(`setup.check_fine.${check.name}`)) || check.detail}</small>
      </span>
      <span
        role="img"
        aria-label={check.ok ? t('setup.check_state.ok') : t('setup.check_state.bad')}
        className={`${classes.mark} ${check.ok ? '' : classes.bad}`}
      >
        {check.ok ? <IconCheck size={12} stroke={3} /> : <IconAlertTriangle size={12} stroke={2.4} />}
      </span>
    </div>
  );
}
