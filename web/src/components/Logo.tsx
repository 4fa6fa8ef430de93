/** Two rings woven over and under: a knot. */
export function Logo({ size = 30, mono }: { size?: number; mono?: string }) {
  return (
    <svg
      viewBox="0 0 32 32"
      width={size}
      height={size}
      fill="none"
      aria-hidden="true"
      focusable="false"
      strokeWidth="3.6"
    >
      <defs>
        <mask id="logo-a" maskUnits="userSpaceOnUse" x="0" y="0" width="32" height="32">
          <rect width="32" height="32" fill="#fff" />
          <path d="M21.5 6v8M10.5 18v8" stroke="#000" strokeWidth="6.4" />
        </mask>
        <mask id="logo-b" maskUnits="userSpaceOnUse" x="0" y="0" width="32" height="32">
          <rect width="32" height="32" fill="#fff" />
          <path d="M6 10.5h8M18 21.5h8" stroke="#000" strokeWidth="6.4" />
        </mask>
      </defs>
      <rect
        x="2.8"
        y="10.5"
        width="26.4"
        height="11"
        rx="5.5"
        stroke={mono ?? 'var(--uz-accent-text)'}
        mask="url(#logo-a)"
      />
      <rect
        x="10.5"
        y="2.8"
        width="11"
        height="26.4"
        rx="5.5"
        stroke={mono ?? 'var(--uz-logo-2)'}
        mask="url(#logo-b)"
      />
    </svg>
  );
}
