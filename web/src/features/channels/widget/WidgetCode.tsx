import { Button } from '@mantine/core';
import { IconCopy, IconExternalLink } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { type ApiError, asApiError } from '../../../api/error';
import type { Channel } from '../../../api/types';
import { getWidget, type Widget } from '../../../api/widgets';
import { Skeleton } from '../../../components/Skeleton';
import { showToast } from '../../../components/Toasts';
import { t } from '../../../i18n';
import { sentenceOf } from '../../../i18n/errors';
import { useInside } from '../../shell/workspace-context';
import classes from './widget.module.css';

/** The line that goes onto the site, and where to try it before. */
export function WidgetCode({ channel }: { channel: Channel }) {
  const { workspace } = useInside();
  const [widget, setWidget] = useState<Widget | null>(null);
  const [error, setError] = useState<ApiError | null>(null);

  useEffect(() => {
    getWidget(workspace.company.id, channel.id).then(setWidget, (cause) => setError(asApiError(cause)));
  }, [workspace, channel.id]);

  if (error) return <p role="alert">{sentenceOf(error)}</p>;
  if (!widget) return <Skeleton lines={3} label={t('state.loading')} />;
  return <CodeToCopy widget={widget} />;
}

export const copy = (text: string) =>
  navigator.clipboard?.writeText(text).then(
    () => showToast({ text: t('message.copied') }),
    () => undefined,
  );

export const CodeToCopy = ({ widget }: { widget: Widget }) => (
  <div className={classes.code}>
    <p>{t('widget.code.hint')}</p>
    {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls can be reached by keyboard */}
    <pre tabIndex={0}>{widget.script}</pre>
    <div className={classes.codeFoot}>
      <Button
        size="compact-sm"
        variant="default"
        leftSection={<IconCopy size={15} aria-hidden="true" />}
        onClick={() => void copy(widget.script)}
      >
        {t('widget.code.copy')}
      </Button>
      {widget.demo_url && (
        <a href={widget.demo_url} target="_blank" rel="noreferrer">
          {t('widget.demo')}
          <IconExternalLink size={15} aria-hidden="true" />
        </a>
      )}
    </div>
  </div>
);
