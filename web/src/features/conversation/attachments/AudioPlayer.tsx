import { IconPlayerPauseFilled, IconPlayerPlayFilled } from '@tabler/icons-react';
import { useRef, useState } from 'react';
import { attachmentUrl } from '../../../api/files';
import type { Attachment } from '../../../api/types';
import { t } from '../../../i18n';
import { stopwatch } from '../../../i18n/format';
import { useThread } from '../thread-context';
import classes from './attachments.module.css';

const SPEEDS = [1, 1.5, 2] as const;

/** Only one recording speaks at a time. */
let speaking: HTMLAudioElement | null = null;

export function AudioPlayer({ attachment }: { attachment: Attachment }) {
  const { workspace } = useThread();
  const audio = useRef<HTMLAudioElement>(null);
  const [playing, setPlaying] = useState(false);
  const [at, setAt] = useState(0);
  const [length, setLength] = useState(attachment.duration_seconds ?? 0);
  const [speed, setSpeed] = useState<number>(1);
  const [broken, setBroken] = useState(false);
  const name =
    attachment.kind === 'voice' ? t('attachment.voice') : (attachment.file_name ?? t('attachment.audio'));

  const toggle = () => {
    const element = audio.current;
    if (!element) return;
    if (element.paused) {
      if (speaking && speaking !== element) speaking.pause();
      speaking = element;
      element.playbackRate = speed;
      element.play().catch(() => setBroken(true));
    } else element.pause();
  };

  const faster = () => {
    const next = SPEEDS[(SPEEDS.indexOf(speed as (typeof SPEEDS)[number]) + 1) % SPEEDS.length] ?? 1;
    setSpeed(next);
    if (audio.current) audio.current.playbackRate = next;
  };

  return (
    <div className={classes.audio}>
      {/* biome-ignore lint/a11y/useMediaCaption: clients send no captions with their recordings */}
      <audio
        ref={audio}
        src={attachmentUrl(workspace.company.id, attachment.id)}
        preload="none"
        onPlay={() => setPlaying(true)}
        onPause={() => setPlaying(false)}
        onEnded={() => setAt(0)}
        onTimeUpdate={(event) => setAt(event.currentTarget.currentTime)}
        onLoadedMetadata={(event) => {
          const { duration } = event.currentTarget;
          if (Number.isFinite(duration)) setLength(duration);
        }}
        onError={() => setBroken(true)}
      />
      <button
        type="button"
        className={classes.play}
        aria-label={playing ? t('attachment.pause', { name }) : t('attachment.play', { name })}
        onClick={toggle}
      >
        {playing ? (
          <IconPlayerPauseFilled size={16} aria-hidden="true" />
        ) : (
          <IconPlayerPlayFilled size={16} aria-hidden="true" />
        )}
      </button>
      <span className={classes.track}>
        {attachment.kind === 'audio' && <b>{name}</b>}
        <input
          type="range"
          min={0}
          max={Math.max(1, length)}
          step={0.1}
          value={at}
          aria-label={t('attachment.seek')}
          aria-valuetext={stopwatch(at)}
          onChange={(event) => {
            const next = Number(event.currentTarget.value);
            setAt(next);
            if (audio.current) audio.current.currentTime = next;
          }}
        />
        {broken && <small role="alert">{t('attachment.broken')}</small>}
      </span>
      <span className={classes.time}>{stopwatch(playing || at > 0 ? at : length)}</span>
      <button type="button" className={classes.speed} aria-label={t('attachment.speed')} onClick={faster}>
        {String(speed).replace('.', ',')}×
      </button>
    </div>
  );
}
