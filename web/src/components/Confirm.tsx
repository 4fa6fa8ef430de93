import { lazy } from 'react';
import { Lazily } from './Lazily';

const Dialog = lazy(() => import('./ConfirmDialog').then((module) => ({ default: module.ConfirmDialog })));

export interface ConfirmProps {
  opened: boolean;
  /** Names the object. */
  title: string;
  /** The consequence. */
  text: string;
  action: string;
  danger?: boolean;
  onClose: () => void;
  onConfirm: () => void;
}

/** Asks before what cannot be undone. */
export const Confirm = (props: ConfirmProps) => (
  <Lazily when={props.opened}>
    <Dialog {...props} />
  </Lazily>
);
