import { useMantineColorScheme } from '@mantine/core';
import {
  IconDeviceDesktop,
  IconKeyboard,
  IconLogout,
  IconMoon,
  IconSun,
  IconUserCircle,
} from '@tabler/icons-react';
import { useNavigate } from '@tanstack/react-router';
import { asApiError } from '../../api/error';
import { ActionMenu } from '../../components/ActionMenu';
import { Avatar } from '../../components/Avatar';
import { showToast } from '../../components/Toasts';
import { chooseLanguage, language, t } from '../../i18n';
import { sentenceOf } from '../../i18n/errors';
import { phone } from '../../i18n/format';
import { signOutHere } from '../../state/session';
import { useValue } from '../../state/store';
import { useOwnName } from './names';
import classes from './ProfileMenu.module.css';
import { showShortcuts } from './ShortcutSheet';
import { useInside } from './workspace-context';

const SCHEMES = [
  { value: 'light', Icon: IconSun },
  { value: 'dark', Icon: IconMoon },
  { value: 'auto', Icon: IconDeviceDesktop },
] as const;

export function ProfileMenu() {
  const { session, workspace } = useInside();
  const { colorScheme, setColorScheme } = useMantineColorScheme();
  const spoken = useValue(language);
  const navigate = useNavigate();
  const name = useOwnName();

  const signOut = async () => {
    try {
      await signOutHere();
      void navigate({ to: '/sign-in' });
    } catch (cause) {
      showToast({ text: sentenceOf(asApiError(cause)) });
    }
  };

  return (
    <ActionMenu
      width={260}
      trigger={
        <button type="button" className={classes.me} aria-label={t('shell.profile', { name })}>
          <Avatar name={name} size={32} />
        </button>
      }
      entries={() => [
        {
          key: 'who',
          content: (
            <div className={classes.head}>
              <b>{name}</b>
              <span>{phone(session.user.phone)}</span>
            </div>
          ),
        },
        {
          key: 'account',
          label: t('account.heading'),
          icon: <IconUserCircle size={16} stroke={1.7} aria-hidden="true" />,
          onSelect: () =>
            void navigate({
              to: '/c/$company/settings/account',
              params: { company: String(workspace.company.id) },
            }),
        },
        {
          key: 'shortcuts',
          label: t('shortcuts.title'),
          icon: <IconKeyboard size={16} stroke={1.7} aria-hidden="true" />,
          onSelect: showShortcuts,
        },
        { key: 'theme', heading: t('shell.theme') },
        ...SCHEMES.map(({ value, Icon }) => ({
          key: value,
          label: t(`shell.theme.${value}`),
          icon: <Icon size={16} stroke={1.7} aria-hidden="true" />,
          checked: colorScheme === value,
          stayOpen: true,
          onSelect: () => setColorScheme(value),
        })),
        { key: 'language', heading: t('shell.language') },
        ...(['ru', 'en'] as const).map((code) => ({
          key: code,
          label: code === 'ru' ? 'Русский' : 'English',
          lang: code,
          checked: spoken === code,
          onSelect: () => void chooseLanguage(code),
        })),
        { key: 'line', divider: true as const },
        {
          key: 'out',
          label: t('shell.sign_out'),
          icon: <IconLogout size={16} stroke={1.7} aria-hidden="true" />,
          onSelect: () => void signOut(),
        },
      ]}
    />
  );
}
