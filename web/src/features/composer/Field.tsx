import { type KeyboardEvent, type RefObject, useLayoutEffect } from 'react';
import { useValue } from '../../state/store';
import classes from './Composer.module.css';
import { sendKey } from './send-key';

/** Grows with its text up to two fifths of the window. Sends by the chosen key. */
export function Field({
  ref,
  value,
  label,
  placeholder,
  invalid,
  list,
  onChange,
  onSend,
  onKey,
  onCancel,
  onFiles,
}: {
  ref: RefObject<HTMLTextAreaElement | null>;
  value: string;
  label: string;
  placeholder: string;
  invalid: boolean;
  /** A list of offers that the keys of this field walk. */
  list?: { id: string; active: string | undefined };
  onChange: (text: string, caret: number) => void;
  onSend: () => void;
  /** True: the key has done its work. */
  onKey?: (event: KeyboardEvent<HTMLTextAreaElement>) => boolean;
  onCancel?: () => void;
  onFiles?: (files: readonly File[]) => void;
}) {
  const byCtrl = useValue(sendKey) === 'ctrl_enter';
  // biome-ignore lint/correctness/useExhaustiveDependencies: the height follows the text
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element) return;
    element.style.height = 'auto';
    element.style.height = `${Math.min(element.scrollHeight, window.innerHeight * 0.4)}px`;
  }, [value, ref]);

  const press = (event: KeyboardEvent<HTMLTextAreaElement>) => {
    // A key that ends a composition (Chinese, Japanese, Korean input) is not ours; 229 is how Safari says so.
    if (event.nativeEvent.isComposing || event.keyCode === 229) return;
    if (onKey?.(event)) {
      event.preventDefault();
      return;
    }
    if (event.key === 'Escape' && onCancel) {
      event.preventDefault();
      onCancel();
      return;
    }
    if (event.key !== 'Enter' || event.shiftKey || event.altKey) return;
    if (byCtrl && !event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    onSend();
  };

  return (
    <textarea
      ref={ref}
      className={classes.field}
      rows={1}
      value={value}
      aria-label={label}
      aria-invalid={invalid || undefined}
      aria-autocomplete={list ? 'list' : undefined}
      aria-controls={list?.id}
      aria-activedescendant={list?.active}
      placeholder={placeholder}
      dir="auto"
      spellCheck
      enterKeyHint={byCtrl ? 'enter' : 'send'}
      onChange={(event) => onChange(event.currentTarget.value, event.currentTarget.selectionStart)}
      onKeyDown={press}
      onPaste={(event) => {
        const files = [...event.clipboardData.files];
        // Text that came along with a picture is kept.
        if (files.length > 0 && onFiles) {
          if (event.clipboardData.getData('text/plain') === '') event.preventDefault();
          onFiles(files);
        }
      }}
    />
  );
}
