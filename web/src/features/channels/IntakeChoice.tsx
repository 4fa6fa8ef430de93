import { Radio } from '@mantine/core';
import type { IntakeMode } from '../../api/types';
import { t } from '../../i18n';
import classes from './ConnectDialog.module.css';

/** How messages come in, with what each way needs. */
export const IntakeChoice = ({
  value,
  onChange,
}: {
  value: IntakeMode;
  onChange: (next: IntakeMode) => void;
}) => (
  <Radio.Group label={t('channel.intake')} value={value} onChange={(next) => onChange(next as IntakeMode)}>
    <div className={classes.modes}>
      <Radio
        value="polling"
        label={t('channel.intake.polling')}
        description={t('connect.intake.polling.text')}
      />
      <Radio
        value="webhook"
        label={t('channel.intake.webhook')}
        description={t('connect.intake.webhook.text')}
      />
    </div>
  </Radio.Group>
);
