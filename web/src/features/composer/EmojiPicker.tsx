import { EmojiPicker as Picker } from 'frimousse';
import { type AriaAttributes, useEffect, useRef } from 'react';
import { language, t } from '../../i18n';
import { useValue } from '../../state/store';
import classes from './EmojiPicker.module.css';

/** The library counts rows and columns from nought, ARIA from one. */
function fromOne<P extends AriaAttributes>(props: P): P {
  const { 'aria-rowindex': row, 'aria-colindex': column } = props;
  return {
    ...props,
    ...(row !== undefined && { 'aria-rowindex': row + 1 }),
    ...(column !== undefined && { 'aria-colindex': column + 1 }),
  };
}

/** Loaded when it is asked for, with its names and words in the language of the interface. */
export default function EmojiPicker({
  onChoose,
  onClose,
}: {
  onChoose: (emoji: string) => void;
  onClose: () => void;
}) {
  const locale = useValue(language);
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const outside = (event: PointerEvent) => {
      const { target } = event;
      if (!(target instanceof Element)) return;
      if (place.current?.contains(target) || target.closest('[data-emoji-button]')) return;
      onClose();
    };
    document.addEventListener('pointerdown', outside);
    return () => document.removeEventListener('pointerdown', outside);
  }, [onClose]);

  return (
    <div
      ref={place}
      role="dialog"
      aria-label={t('composer.emoji')}
      className={classes.place}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.stopPropagation();
        onClose();
      }}
    >
      <Picker.Root
        className={classes.root}
        locale={locale}
        emojibaseUrl="/emoji"
        columns={9}
        onEmojiSelect={({ emoji }) => onChoose(emoji)}
      >
        <Picker.Search
          className={classes.search}
          placeholder={t('composer.emoji.search')}
          aria-label={t('composer.emoji.search')}
          autoFocus
        />
        <Picker.Viewport className={classes.viewport}>
          <Picker.Loading className={classes.told}>{t('state.loading')}</Picker.Loading>
          <Picker.Empty className={classes.told}>{t('composer.emoji.none')}</Picker.Empty>
          <Picker.List
            components={{
              CategoryHeader: ({ category, ...props }) => (
                <div className={classes.category} {...props}>
                  {category.label.charAt(0).toLocaleUpperCase() + category.label.slice(1)}
                </div>
              ),
              Row: ({ children, ...props }) => (
                <div className={classes.row} {...fromOne(props)}>
                  {children}
                </div>
              ),
              Emoji: ({ emoji, ...props }) => (
                <button type="button" className={classes.emoji} title={emoji.label} {...fromOne(props)}>
                  {emoji.emoji}
                </button>
              ),
            }}
          />
        </Picker.Viewport>
      </Picker.Root>
    </div>
  );
}
