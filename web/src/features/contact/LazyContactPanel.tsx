import { lazy, Suspense } from 'react';
import { t } from '../../i18n';
import classes from './ContactPanel.module.css';

const ContactPanel = lazy(() =>
  import('./ContactPanel').then((module) => ({ default: module.ContactPanel })),
);

/** The card, loaded once it is asked for; its place is kept meanwhile. */
export const LazyContactPanel = ({ onClose }: { onClose: () => void }) => (
  <Suspense fallback={<aside className={classes.panel} aria-label={t('contact.card')} aria-busy="true" />}>
    <ContactPanel onClose={onClose} />
  </Suspense>
);
