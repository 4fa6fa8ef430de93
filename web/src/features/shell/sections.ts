import { type Icon, IconBolt, IconMessageCircle, IconSettings } from '@tabler/icons-react';
import type { MessageKey } from '../../i18n';

/** A section of the main menu. */
export interface Section {
  /** The first part of its addresses within a company. */
  path: 'messages' | 'quick-replies' | 'settings';
  name: MessageKey;
  Icon: Icon;
  /** A hairline stands before it. */
  apart?: boolean;
}

/** What is built, in the order of the menu: messages, broadcasts, templates, clients, groups, employees,
 * CRM integrations, settings, analytics, billing. */
export const SECTIONS: readonly Section[] = [
  { path: 'messages', name: 'section.messages', Icon: IconMessageCircle },
  { path: 'quick-replies', name: 'section.quick_replies', Icon: IconBolt },
  { path: 'settings', name: 'section.settings', Icon: IconSettings, apart: true },
];
