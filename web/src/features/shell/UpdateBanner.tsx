import { Button } from '@mantine/core';
import { IconSparkles } from '@tabler/icons-react';
import { t } from '../../i18n';
import { useValue } from '../../state/store';
import { takeNewVersion, versionIsOld } from '../../state/version';
import classes from '../connection/banner.module.css';
import { useInside } from './workspace-context';

/** The server has another interface than this page. When to take it is for the person to say. */
export function UpdateBanner() {
  const { workspace } = useInside();
  const old = useValue(versionIsOld);
  if (!old) return null;
  const update = async () => {
    await workspace.drafts.save();
    await takeNewVersion();
  };
  return (
    <div className={`${classes.banner} ${classes.news}`} role="status">
      <IconSparkles size={17} stroke={1.9} aria-hidden="true" />
      <span>{t('update.text')}</span>
      <Button size="compact-xs" variant="default" onClick={() => void update()}>
        {t('update.action')}
      </Button>
    </div>
  );
}
