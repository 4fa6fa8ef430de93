import { changeCompany } from '../api/companies';
import { NameSetting } from '../features/settings/NameSetting';
import { useCompany } from '../features/shell/names';
import { useInside } from '../features/shell/workspace-context';
import { t } from '../i18n';
import frame from './settings.module.css';

export function CompanySettingsPage() {
  const { workspace } = useInside();
  const company = useCompany();
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
        onSave={async (name) =>
          workspace.absorb({ companies: [await changeCompany(workspace.company.id, { name })] })
        }
      />
    </section>
  );
}
