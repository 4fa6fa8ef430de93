import { Select } from '@mantine/core';
import { useMemo, useState } from 'react';
import { changeCompany } from '../api/companies';
import { type ApiError, asApiError } from '../api/error';
import { showToast } from '../components/Toasts';
import { NameSetting } from '../features/settings/NameSetting';
import { Setting } from '../features/settings/Setting';
import classes from '../features/settings/settings.module.css';
import { useCompany } from '../features/shell/names';
import { useInside } from '../features/shell/workspace-context';
import { t } from '../i18n';
import { sentenceOf } from '../i18n/errors';
import frame from './settings.module.css';

/** Zones of the browser; those of the country first, for they are what is looked for. */
const NEAR = [
  'Europe/Kaliningrad',
  'Europe/Moscow',
  'Europe/Samara',
  'Asia/Yekaterinburg',
  'Asia/Omsk',
  'Asia/Krasnoyarsk',
  'Asia/Irkutsk',
  'Asia/Yakutsk',
  'Asia/Vladivostok',
  'Asia/Magadan',
  'Asia/Kamchatka',
];

function zones(now: string): string[] {
  // Chrome 91, Firefox 92 and Safari 15.0 do not list them.
  const intl = Intl as { supportedValuesOf?: (key: 'timeZone') => string[] };
  const known = intl.supportedValuesOf?.('timeZone') ?? [];
  return [...new Set([...NEAR, now, ...known])];
}

export function CompanySettingsPage() {
  const { workspace } = useInside();
  const company = useCompany();
  const [error, setError] = useState<ApiError | null>(null);
  const [busy, setBusy] = useState(false);
  const all = useMemo(() => zones(company.time_zone), [company.time_zone]);

  const change = async (body: { name?: string; time_zone?: string }) =>
    workspace.absorb({ companies: [await changeCompany(workspace.company.id, body)] });
  const chooseZone = async (zone: string | null) => {
    if (!zone || zone === company.time_zone) return;
    setBusy(true);
    setError(null);
    try {
      await change({ time_zone: zone });
      showToast({ text: t('settings.saved') });
    } catch (cause) {
      setError(asApiError(cause));
    } finally {
      setBusy(false);
    }
  };

  return (
    <section className={frame.page} aria-labelledby="company-title">
      <header className={frame.head}>
        <div>
          <h1 id="company-title">{t('company.title')}</h1>
          <p>{t('company.facts')}</p>
        </div>
      </header>
      <NameSetting
        title={t('company.name')}
        text={t('company.name.text')}
        value={company.name}
        autoComplete="organization"
        onSave={(name) => change({ name })}
      />
      <Setting title={t('company.time_zone')} text={t('company.time_zone.text')}>
        <Select
          className={classes.field}
          aria-label={t('company.time_zone')}
          data={all}
          value={company.time_zone}
          onChange={(zone) => void chooseZone(zone)}
          searchable
          allowDeselect={false}
          disabled={busy}
          maxDropdownHeight={320}
          nothingFoundMessage={t('company.time_zone.none')}
          error={error ? sentenceOf(error) : undefined}
        />
      </Setting>
    </section>
  );
}
