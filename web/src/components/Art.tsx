/** Small line drawings of empty and broken states. */

export const ArtInbox = () => (
  <svg viewBox="0 0 120 84" width="120" height="84" aria-hidden="true" focusable="false">
    <path
      d="M14 50l14-30h64l14 30v20a8 8 0 0 1-8 8H22a8 8 0 0 1-8-8z"
      fill="var(--uz-sunken)"
      stroke="var(--uz-line-2)"
      strokeWidth="2"
      strokeLinejoin="round"
    />
    <path
      d="M14 50h26c2 0 3 1 4 3 2 6 8 9 16 9s14-3 16-9c1-2 2-3 4-3h26"
      fill="none"
      stroke="var(--uz-line-2)"
      strokeWidth="2"
    />
    <path
      d="M48 34l9 9 16-20"
      fill="none"
      stroke="var(--uz-accent)"
      strokeWidth="4"
      strokeLinecap="round"
      strokeLinejoin="round"
    />
  </svg>
);

export const ArtCut = () => (
  <svg
    viewBox="0 0 128 60"
    width="128"
    height="60"
    aria-hidden="true"
    focusable="false"
    fill="none"
    strokeLinecap="round"
  >
    <g stroke="var(--uz-line-2)" strokeWidth="7">
      <path d="M6 30h30" />
      <path d="M92 30h30" />
    </g>
    <g stroke="var(--uz-bad)" strokeWidth="3">
      <path d="M44 30h5M79 30h5M56 14l4 8M72 46l-4-8M72 14l-4 8M56 46l4-8" />
    </g>
  </svg>
);

export const ArtKnot = () => (
  <svg viewBox="0 0 640 900" preserveAspectRatio="xMidYMid slice" aria-hidden="true" focusable="false">
    <defs>
      <linearGradient id="knot-ground" x1="0" y1="0" x2="1" y2="1">
        <stop stopColor="#3E49BE" />
        <stop offset="1" stopColor="#252B6B" />
      </linearGradient>
      <mask id="knot-a" maskUnits="userSpaceOnUse" x="0" y="0" width="640" height="900">
        <rect width="640" height="900" fill="#fff" />
        <path d="M400 250v100M240 410v100" stroke="#000" strokeWidth="74" />
      </mask>
      <mask id="knot-b" maskUnits="userSpaceOnUse" x="0" y="0" width="640" height="900">
        <rect width="640" height="900" fill="#fff" />
        <path d="M190 300h100M350 460h100" stroke="#000" strokeWidth="74" />
      </mask>
    </defs>
    <rect width="640" height="900" fill="url(#knot-ground)" />
    <g fill="none" strokeWidth="46">
      <path mask="url(#knot-a)" d="M-40 300H460a80 80 0 0 1 0 160H-40" stroke="#8791EE" />
      <path mask="url(#knot-b)" d="M240 -40V480a80 80 0 0 0 160 0V-40" stroke="#E9CA82" />
    </g>
  </svg>
);
