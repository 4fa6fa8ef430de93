import { createStore } from '../../state/store';

/** By which key a message is sent: a habit of the person at this browser. */
export type SendKey = 'enter' | 'ctrl_enter';

const STORAGE_KEY = 'uzel-send-key';

const read = (): SendKey => {
  try {
    return localStorage.getItem(STORAGE_KEY) === 'ctrl_enter' ? 'ctrl_enter' : 'enter';
  } catch {
    return 'enter';
  }
};

export const sendKey = createStore<SendKey>(read());

export function chooseSendKey(next: SendKey): void {
  sendKey.set(next);
  try {
    localStorage.setItem(STORAGE_KEY, next);
  } catch {
    // The choice then holds until the page is closed.
  }
}
