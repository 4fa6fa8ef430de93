import { type Icon, IconBuilding, IconRoute, IconTruckDelivery, IconUserCircle } from '@tabler/icons-react';
import type { MessageKey } from '../../i18n';

/** A page of the settings. */
export interface SettingsPage {
  path: 'channels' | 'delivery' | 'company' | 'account';
  name: MessageKey;
  Icon: Icon;
  /** Operators neither see it nor may open it. */
  administrators: boolean;
}

export const PAGES: readonly SettingsPage[] = [
  { path: 'channels', name: 'channels.title', Icon: IconRoute, administrators: false },
  { path: 'delivery', name: 'delivery.title', Icon: IconTruckDelivery, administrators: true },
  { path: 'company', name: 'company.title', Icon: IconBuilding, administrators: true },
  { path: 'account', name: 'account.title', Icon: IconUserCircle, administrators: false },
];
