import { Button, Modal } from '@mantine/core';
import { t } from '../i18n';
import type { ConfirmProps } from './Confirm';
import classes from './ConfirmDialog.module.css';

export function ConfirmDialog({
  opened,
  title,
  text,
  action,
  danger = true,
  onClose,
  onConfirm,
}: ConfirmProps) {
  return (
    <Modal
      opened={opened}
      onClose={onClose}
      title={title}
      size={440}
      closeButtonProps={{ 'aria-label': t('action.close') }}
    >
      <p className={classes.text}>{text}</p>
      <div className={classes.foot}>
        <Button variant="default" onClick={onClose} data-autofocus>
          {t('action.cancel')}
        </Button>
        <Button
          color={danger ? 'red' : undefined}
          onClick={() => {
            onClose();
            onConfirm();
          }}
        >
          {action}
        </Button>
      </div>
    </Modal>
  );
}
