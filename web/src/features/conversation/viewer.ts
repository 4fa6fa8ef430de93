import type { Message } from '../../api/types';
import { createStore } from '../../state/store';

/** Which picture or video fills the screen. */
export interface Viewed {
  company: number;
  message: Message;
  attachmentId: number;
}

export const viewed = createStore<Viewed | null>(null);
export const openViewer = (next: Viewed) => viewed.set(next);
export const closeViewer = () => viewed.set(null);
