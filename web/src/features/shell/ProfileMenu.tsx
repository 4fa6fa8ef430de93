import { Menu, useMantineColorScheme } from '@mantine/core';
import { IconDeviceDesktop, IconLogout, IconMoon, IconSun } from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { asApiError } from '../../api/error';
import { Avatar } from '../../components/Avatar';
import { showToast } from '../../components/Toasts';
import { chooseLanguage, language, t } from '../../i18n';
import { sentenceOf } from '../../i18n/errors';
import { phone } from '../../i18n/format';
import { signOutHere } from '../../state/session';
import { useValue } from '../../state/store';
import classes from './ProfileMenu.module.css';
import { useInside } from './workspace-context';

const SCHEMES = [
  { value: 'light', Icon: IconSun },
  { value: 'dark', Icon: IconMoon },
  { value: 'auto', Icon: IconDeviceDesktop },
] as const;

export function ProfileMenu() {
  const { session } = useInside();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const spoken = useValue(language);
  const navigate = useNavigate();
  const { name } = session.user;

  const signOut = async () => {
    try {
      await signOutHere();
      void navigate({ to: '/sign-in' });
    } catch (cause) {
      showToast({ text: sentenceOf(asApiError(cause)) });
    }
  };

  return (
    <Menu position="bottom-end" width={260} closeOnItemClick={false}>
      <Menu.Target>
        <button type="button" className={classes.me} aria-label={t('shell.profile', { name })}>
          <Avatar name={name} size={32} />
        </button>
      </Menu.Target>
      <Menu.Dropdown>
        <div className={classes.head}>
          <b>{name}</b>
          <span>{phone(session.user.phone)}</span>
        </div>
        <Menu.Divider />
        <Menu.Label>{t('shell.theme')}</Menu.Label>
        {SCHEMES.map(({ value, Icon }) => (
          <Menu.Item
            key={value}
            role="menuitemradio"
            aria-checked={colorScheme === value}
            data-chosen={colorScheme === value || undefined}
            className={classes.option}
            leftSection={<Icon size={16} stroke={1.7} aria-hidden="true" />}
            onClick={() => setColorScheme(value)}
          >
            {t(`shell.theme.${value}`)}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Label>{t('shell.language')}</Menu.Label>
        {(['ru', 'en'] as const).map((code) => (
          <Menu.Item
            key={code}
            lang={code}
            role="menuitemradio"
            aria-checked={spoken === code}
            data-chosen={spoken === code || undefined}
            className={classes.option}
            onClick={() => void chooseLanguage(code)}
          >
            {code === 'ru' ? 'Русский' : 'English'}
          </Menu.Item>
        ))}
        <Menu.Divider />
        <Menu.Item
          leftSection={<IconLogout size={16} stroke={1.7} aria-hidden="true" />}
          onClick={() => void signOut()}
        >
          {t('shell.sign_out')}
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}
