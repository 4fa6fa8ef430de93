import type { ReactNode } from 'react';
import { ArtKnot } from '../../components/Art';
import { Logo } from '../../components/Logo';
import { t } from '../../i18n';
import classes from './AuthFrame.module.css';
import { LanguageSwitch } from './LanguageSwitch';

/** The page around a form for people who are not inside yet. */
export function AuthFrame({ children, version }: { children: ReactNode; version?: string }) {
  return (
    <div className={classes.page}>
      <div className={classes.left}>
        <div className={classes.word}>
          <Logo size={34} />
          <b>{t('product.name')}</b>
        </div>
        <main className={classes.form}>{children}</main>
        <footer className={classes.foot}>
          <LanguageSwitch />
          {version && <span className={classes.version}>{version}</span>}
        </footer>
      </div>
      <aside className={classes.right} aria-hidden="true">
        <ArtKnot />
        <div>
          <p>{t('auth.motto')}</p>
          <span>{t('auth.motto.text')}</span>
        </div>
      </aside>
    </div>
  );
}
