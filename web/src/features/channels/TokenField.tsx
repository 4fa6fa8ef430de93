import { Button, TextInput } from '@mantine/core';
import { IconCheck } from '@tabler/icons-react';
import { Avatar } from '../../components/Avatar';
import { t } from '../../i18n';
import { sentenceOf } from '../../i18n/errors';
import classes from './TokenField.module.css';
import type { Check } from './useCredentialCheck';

export function TokenField({
  token,
  onToken,
  check,
  onCheckAgain,
}: {
  token: string;
  onToken: (token: string) => void;
  check: Check;
  onCheckAgain: () => void;
}) {
  return (
    <div className={classes.field}>
      <TextInput
        label={t('connect.token')}
        description={t('connect.token.hint')}
        placeholder="123456789:AA…"
        value={token}
        onChange={(event) => onToken(event.currentTarget.value.trim())}
        autoComplete="off"
        spellCheck={false}
        maxLength={200}
        data-autofocus
        error={
          check.state === 'refused'
            ? sentenceOf(check.error)
            : check.state === 'malformed' && token.length > 20
              ? t('connect.token.malformed')
              : undefined
        }
      />
      <div role="status" className={classes.result}>
        {check.state === 'checking' && <p className={classes.checking}>{t('connect.checking')}</p>}
        {check.state === 'good' && (
          <div className={classes.account}>
            <Avatar name={check.account.name} size={38} />
            <span>
              <b>{check.account.name}</b>
              <small>
                {check.account.username ? `@${check.account.username}` : check.account.external_id}
              </small>
            </span>
            <IconCheck size={18} stroke={2.4} aria-label={t('connect.found')} />
          </div>
        )}
      </div>
      {check.state === 'refused' && check.error.isTemporary && (
        <Button size="compact-sm" variant="default" onClick={onCheckAgain}>
          {t('connect.check_again')}
        </Button>
      )}
    </div>
  );
}
