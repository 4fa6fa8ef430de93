import type { Attachment, Message } from '../../../api/types';
import { AudioPlayer } from './AudioPlayer';
import { FileLine } from './FileLine';
import { Picture } from './Picture';
import { Unready } from './Unready';
import { VideoBox } from './VideoBox';

/** One file of a message, whatever it is and wherever its bytes are. */
export function AttachmentView({ attachment, message }: { attachment: Attachment; message: Message }) {
  if (attachment.state !== 'ready') return <Unready attachment={attachment} />;
  switch (attachment.kind) {
    case 'photo':
      return <Picture attachment={attachment} message={message} />;
    case 'sticker':
      // Animated stickers of Telegram are no pictures a browser can draw.
      return attachment.mime_type?.startsWith('image/') ? (
        <Picture attachment={attachment} message={message} sticker />
      ) : attachment.mime_type?.startsWith('video/') ? (
        <VideoBox attachment={attachment} />
      ) : (
        <span style={{ fontSize: 64, lineHeight: '72px' }}>{attachment.emoji ?? '🙂'}</span>
      );
    case 'video':
    case 'video_note':
    case 'animation':
      return <VideoBox attachment={attachment} />;
    case 'voice':
    case 'audio':
      return <AudioPlayer attachment={attachment} />;
    case 'document':
      return <FileLine attachment={attachment} />;
  }
}

/** Kinds that fill the bubble to its edges. */
export const isMedia = (attachment: Attachment) =>
  attachment.state === 'ready' && ['photo', 'video', 'animation', 'video_note'].includes(attachment.kind);
