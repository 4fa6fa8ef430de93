import { ActionIcon, Button, TextInput } from '@mantine/core';
import { IconCopy, IconEye, IconEyeOff } from '@tabler/icons-react';
import { useState } from 'react';
import { type ApiError, asApiError } from '../../api/error';
import { getPrivateToken, reissuePrivateToken, revealPrivateToken } from '../../api/profile';
import { Confirm } from '../../components/Confirm';
import { showToast } from '../../components/Toasts';
import { t } from '../../i18n';
import { sentenceOf } from '../../i18n/errors';
import { dateTime } from '../../i18n/format';
import { useLoad } from '../../state/useLoad';
import { Setting } from './Setting';
import classes from './settings.module.css';

const HIDDEN = '•'.repeat(24);

/** The token for programs: hidden until asked for, copied, replaced. */
export function PrivateTokenSetting() {
  const known = useLoad(getPrivateToken, 'token');
  const [shown, setShown] = useState<string | null>(null);
  const [visible, setVisible] = useState(false);
  const [asking, setAsking] = useState(false);
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState<ApiError | null>(null);
  const exists = known.data?.created_at != null;

  const run = async (act: () => Promise<void>) => {
    setBusy(true);
    setError(null);
    try {
      await act();
    } catch (cause) {
      setError(asApiError(cause));
    } finally {
      setBusy(false);
    }
  };
  const ask = async () => {
    const token = shown ?? (await revealPrivateToken()).token;
    setShown(token);
    return token;
  };
  const toggle = () =>
    run(async () => {
      if (!visible) await ask();
      setVisible(!visible);
    });
  const copy = () =>
    run(async () => {
      const token = await ask();
      try {
        await navigator.clipboard.writeText(token);
        showToast({ text: t('token.copied') });
      } catch {
        // No clipboard without HTTPS: the token is shown to be copied by hand.
        setVisible(true);
      }
    });
  const reissue = () =>
    run(async () => {
      setShown((await reissuePrivateToken()).token);
      setVisible(true);
      known.reload();
    });

  return (
    <Setting title={t('token.title')} text={t('token.text')}>
      {known.error ? (
        <div className={classes.line}>
          <p className={classes.error} role="alert">
            {sentenceOf(known.error)}
          </p>
          <Button size="compact-sm" variant="default" onClick={known.reload}>
            {t('action.retry')}
          </Button>
        </div>
      ) : exists || shown !== null ? (
        <>
          <div className={classes.line}>
            <TextInput
              className={classes.field}
              aria-label="Private token"
              readOnly
              value={visible && shown !== null ? shown : HIDDEN}
              spellCheck={false}
              rightSection={
                <ActionIcon
                  aria-label={visible ? t('token.hide') : t('token.show')}
                  disabled={busy}
                  onClick={() => void toggle()}
                >
                  {visible ? (
                    <IconEyeOff size={17} stroke={1.7} aria-hidden="true" />
                  ) : (
                    <IconEye size={17} stroke={1.7} aria-hidden="true" />
                  )}
                </ActionIcon>
              }
            />
            <Button
              variant="default"
              disabled={busy}
              leftSection={<IconCopy size={16} aria-hidden="true" />}
              onClick={() => void copy()}
            >
              {t('token.copy')}
            </Button>
            <Button variant="subtle" color="red" disabled={busy} onClick={() => setAsking(true)}>
              {t('token.reissue')}
            </Button>
          </div>
          <p className={classes.hint}>
            {known.data?.last_used_at
              ? t('token.used', { at: dateTime(known.data.last_used_at) })
              : t('token.unused')}
          </p>
        </>
      ) : (
        known.data && (
          <div>
            <Button variant="default" loading={busy} onClick={() => void reissue()}>
              {t('token.make')}
            </Button>
          </div>
        )
      )}
      {error && (
        <p className={classes.error} role="alert">
          {sentenceOf(error)}
        </p>
      )}
      <Confirm
        opened={asking}
        title={t('token.reissue.title')}
        text={t('token.reissue.text')}
        action={t('token.reissue')}
        onClose={() => setAsking(false)}
        onConfirm={() => void reissue()}
      />
    </Setting>
  );
}
