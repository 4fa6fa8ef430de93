import { Radio, useMantineColorScheme } from '@mantine/core';
import { changeProfile } from '../api/profile';
import { chooseSendKey, type SendKey, sendKey } from '../features/composer/send-key';
import { NameSetting } from '../features/settings/NameSetting';
import { OrderSetting } from '../features/settings/OrderSetting';
import { PrivateTokenSetting } from '../features/settings/PrivateTokenSetting';
import { Setting } from '../features/settings/Setting';
import classes from '../features/settings/settings.module.css';
import { useCompany, useOwnName } from '../features/shell/names';
import { useInside } from '../features/shell/workspace-context';
import { chooseLanguage, type Language, language, t } from '../i18n';
import { phone } from '../i18n/format';
import { useStore, useValue } from '../state/store';
import frame from './settings.module.css';

const SCHEMES = ['light', 'dark', 'auto'] as const;
const KEYS = ['enter', 'ctrl_enter'] as const;

export function AccountPage() {
  const { session, workspace } = useInside();
  const name = useOwnName();
  const company = useCompany();
  const member = useStore(workspace.store, ({ entities }) => entities.members[workspace.me.id]);
  const spoken = useValue(language);
  const key = useValue(sendKey);
  const { colorScheme, setColorScheme } = useMantineColorScheme();

  const rename = async (next: string) => {
    const changed = await changeProfile(next);
    // The log tells everybody; here it is seen at once.
    const held = member ?? workspace.me;
    workspace.absorb({ members: [{ ...held, name: changed.name, version: held.version + 1 }] });
  };

  return (
    <section className={frame.page} aria-labelledby="account-title">
      <header className={frame.head}>
        <div>
          <h1 id="account-title">{t('account.heading')}</h1>
          <p>{t('account.facts', { name, role: t(`role.${workspace.me.role}`), company: company.name })}</p>
        </div>
      </header>
      <NameSetting
        title={t('account.name')}
        text={t('account.name.text')}
        value={name}
        autoComplete="name"
        onSave={rename}
      />
      <Setting title={t('account.phone')} text={t('account.phone.text')}>
        <p className={classes.value}>{phone(session.user.phone)}</p>
      </Setting>
      <Setting title={t('shell.language')}>
        <Radio.Group
          aria-label={t('shell.language')}
          value={spoken}
          onChange={(next) => void chooseLanguage(next as Language)}
        >
          <div className={classes.choices}>
            <Radio value="ru" label="Русский" lang="ru" />
            <Radio value="en" label="English" lang="en" />
          </div>
        </Radio.Group>
      </Setting>
      <Setting title={t('shell.theme')}>
        <Radio.Group
          aria-label={t('shell.theme')}
          value={colorScheme}
          onChange={(next) => setColorScheme(next as (typeof SCHEMES)[number])}
        >
          <div className={classes.choices}>
            {SCHEMES.map((scheme) => (
              <Radio key={scheme} value={scheme} label={t(`shell.theme.${scheme}`)} />
            ))}
          </div>
        </Radio.Group>
      </Setting>
      <Setting title={t('account.send_with')} text={t('account.send_with.text')}>
        <Radio.Group
          aria-label={t('account.send_with')}
          value={key}
          onChange={(next) => chooseSendKey(next as SendKey)}
        >
          <div className={classes.choices}>
            {KEYS.map((choice) => (
              <Radio
                key={choice}
                value={choice}
                label={t(`account.send_with.${choice}`)}
                description={t(`account.send_with.${choice}.text`)}
              />
            ))}
          </div>
        </Radio.Group>
      </Setting>
      <OrderSetting />
      <PrivateTokenSetting />
    </section>
  );
}
