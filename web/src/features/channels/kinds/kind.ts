import type { Icon } from '@tabler/icons-react';
import type { ComponentType } from 'react';
import type { Channel, ChannelKind } from '../../../api/types';
import type { MessageKey } from '../../../i18n';

/**
 * What the interface has to know of a kind of channel. Each kind is one file beside this one that exports
 * `kind`; it is found by its place, nothing else names it. Its dialogs are loaded when they are opened.
 */
export interface KindOfChannel {
  kind: ChannelKind;
  /** Place in the chooser. */
  order: number;
  /** What it is good for, in a line of the chooser. */
  about: MessageKey;
  /** The steps to a connected channel, inside the dialog. */
  Connect: ComponentType<ConnectProps>;
  /** Whether messages come in by polling or webhook as the administrator chooses. */
  intakeChoice?: boolean;
  /** What an administrator can do with a connected one, besides what every channel has. */
  tools: ChannelTool[];
}

export interface ConnectProps {
  /** It is connected: the dialog closes. */
  onConnected: (channel: Channel) => void;
  onCancel: () => void;
}

export interface ChannelTool {
  key: string;
  label: MessageKey;
  Icon: Icon;
  /** Drawn while it is open. */
  Dialog: ComponentType<{ channel: Channel; onClose: () => void }>;
  /** The way out of trouble: offered as the button of a channel that needs a person. */
  repairs?: boolean;
}
