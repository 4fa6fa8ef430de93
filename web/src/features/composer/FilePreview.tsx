import { ActionIcon } from '@mantine/core';
import { IconX } from '@tabler/icons-react';
import { useEffect, useState } from 'react';
import { t } from '../../i18n';
import { bytes } from '../../i18n/format';
import fileClasses from '../conversation/attachments/attachments.module.css';
import { fileIcon } from '../conversation/attachments/FileLine';
import classes from './Composer.module.css';

export function FilePreview({ file, onRemove }: { file: File; onRemove: () => void }) {
  const [picture, setPicture] = useState<string | null>(null);
  useEffect(() => {
    if (!/^image\/(?:jpeg|png|webp|gif)$/.test(file.type)) {
      setPicture(null);
      return;
    }
    const url = URL.createObjectURL(file);
    setPicture(url);
    return () => URL.revokeObjectURL(url);
  }, [file]);
  const { Icon, look } = fileIcon(file.name, file.type);
  return (
    <li className={classes.file}>
      {picture ? (
        <img src={picture} alt="" width={40} height={40} />
      ) : (
        <span className={`${fileClasses.icon} ${look}`}>
          <Icon size={22} stroke={1.6} aria-hidden="true" />
        </span>
      )}
      <span className={fileClasses.names}>
        <b>{file.name}</b>
        <small>{bytes(file.size)}</small>
      </span>
      <ActionIcon size={28} aria-label={t('composer.remove_file', { name: file.name })} onClick={onRemove}>
        <IconX size={17} aria-hidden="true" />
      </ActionIcon>
    </li>
  );
}
