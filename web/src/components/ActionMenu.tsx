import { cloneElement, lazy, type ReactElement, type ReactNode, Suspense, useRef, useState } from 'react';
import classes from './ActionMenu.module.css';

/**
 * A button that opens a menu. The menu itself, with all that places it, is loaded when somebody comes
 * near the button: it would be a seventh of what the inbox needs to start.
 */

export type MenuEntry =
  | {
      key: string;
      label: ReactNode;
      icon?: ReactNode;
      right?: ReactNode;
      onSelect: () => void;
      /** Given: one of several to choose from. */
      checked?: boolean;
      /** More than one may be chosen. */
      several?: boolean;
      danger?: boolean;
      disabled?: boolean;
      lang?: string;
      stayOpen?: boolean;
    }
  | { key: string; heading: string }
  | { key: string; divider: true }
  | { key: string; content: ReactNode };

export interface MenuProps {
  entries: () => MenuEntry[];
  position?: 'bottom-start' | 'bottom-end';
  width?: number;
}

/** The menu keeps the focus until it has faded. */
const FADE_MS = 150;

const load = () => import('./MenuBody');
const MenuBody = lazy(() => load().then((module) => ({ default: module.MenuBody })));

export function ActionMenu({
  trigger,
  className,
  ...menu
}: MenuProps & {
  /** A button; it is given what it needs to open the menu. */
  trigger: ReactElement<{
    onClick?: () => void;
    onPointerDown?: () => void;
    onPointerEnter?: () => void;
    onFocus?: () => void;
    'aria-haspopup'?: 'menu';
    'aria-expanded'?: boolean;
  }>;
  className?: string;
}) {
  const [asked, setAsked] = useState(false);
  const [opened, setOpened] = useState(false);
  // A press outside closes the menu before the click arrives, and the button is outside of it.
  const pressedWhileOpen = useRef(false);
  const place = useRef<HTMLSpanElement>(null);
  const change = (next: boolean) => {
    setOpened(next);
    if (next) return;
    // The focus goes back to the button, unless what was chosen has taken it.
    setTimeout(() => {
      const lost = document.activeElement === null || document.activeElement === document.body;
      if (lost) place.current?.querySelector('button')?.focus();
    }, FADE_MS);
  };
  return (
    <span ref={place} className={`${classes.place} ${className ?? ''}`}>
      {cloneElement(trigger, {
        'aria-haspopup': 'menu',
        'aria-expanded': opened,
        onPointerEnter: () => void load(),
        onFocus: () => void load(),
        onPointerDown: () => {
          pressedWhileOpen.current = opened;
        },
        onClick: () => {
          setAsked(true);
          setOpened(!pressedWhileOpen.current);
          pressedWhileOpen.current = false;
        },
      })}
      {asked && (
        <Suspense fallback={null}>
          <MenuBody {...menu} opened={opened} onChange={change} />
        </Suspense>
      )}
    </span>
  );
}
