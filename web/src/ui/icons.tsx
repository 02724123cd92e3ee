// Line icons drawn for these pages, 24 × 24, in the colour of their text.

import type { ComponentChildren } from "preact";

/** What is drawn is made anew each time: an element that is kept keeps the page it was first part of, and all before it. */
function icon(drawn: () => ComponentChildren) {
  return () => (
    <svg
      class="icon"
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="2"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      {drawn()}
    </svg>
  );
}

export const Icon = {
  calendar: icon(() => <path d="M5 5h14v15H5zM5 10h14M9 3v4M15 3v4" />),
  mic: icon(() => (
    <>
      <rect x="9" y="3" width="6" height="11" rx="3" />
      <path d="M5 11a7 7 0 0 0 14 0M12 18v3" />
    </>
  )),
  micOff: icon(() => (
    <path d="M9 9v2a3 3 0 0 0 5 2.2M15 10V6a3 3 0 0 0-5.8-1M5 11a7 7 0 0 0 11 5.7M19 11a7 7 0 0 1-.6 2.8M12 18v3M4 4l16 16" />
  )),
  camera: icon(() => (
    <>
      <path d="M4 8h3l2-3h6l2 3h3v11H4z" />
      <circle cx="12" cy="13" r="3.5" />
    </>
  )),
  speaker: icon(() => <path d="M4 10v4h4l5 4V6l-5 4zM16.5 9a4 4 0 0 1 0 6M19 6.5a8 8 0 0 1 0 11" />),
  speakerOff: icon(() => <path d="M4 10v4h4l5 4V6l-5 4zM17 10l4 4M21 10l-4 4" />),
  people: icon(() => (
    <>
      <circle cx="9" cy="8" r="3.5" />
      <path d="M3 20a6 6 0 0 1 12 0M16 5a3.5 3.5 0 0 1 0 6.5M21 20a6 6 0 0 0-4-5.6" />
    </>
  )),
  ear: icon(() => <path d="M7 10a5 5 0 0 1 10 0c0 4-4 4-4 8a3 3 0 0 1-5.5 1.5M10 10a2 2 0 0 1 4 0" />),
  area: icon(() => <path d="M5 6l8-2 7 6-3 9-10 1-4-7z" />),
  chevron: icon(() => <path d="M6 9l6 6 6-6" />),
  exit: icon(() => <path d="M14 4H6v16h8M11 12h10M17 8l4 4-4 4" />),
  clock: icon(() => (
    <>
      <circle cx="12" cy="12" r="9" />
      <path d="M12 7v5l3 2" />
    </>
  )),
  queue: icon(() => <path d="M4 6h10M4 12h10M4 18h6M18 9v9M15 15l3 3 3-3" />),
  play: icon(() => <path d="M8 5v14l11-7z" />),
  stop: icon(() => (
    <>
      <circle cx="12" cy="12" r="9" />
      <path d="M6 6l12 12" />
    </>
  )),
  offline: icon(() => (
    <path d="M4 4l16 16M5 12a10 10 0 0 1 3-2M2 8.5A15 15 0 0 1 6 6M12 5a15 15 0 0 1 10 3.5M15.5 10.2A10 10 0 0 1 19 12M8.5 15.5a5 5 0 0 1 7 0M12 19h.01" />
  )),
  wait: icon(() => <path d="M12 3a9 9 0 1 1-9 9" />),
  lock: icon(() => (
    <>
      <rect x="5" y="11" width="14" height="9" rx="2" />
      <path d="M8 11V8a4 4 0 0 1 8 0v3" />
    </>
  )),
  again: icon(() => <path d="M4 12a8 8 0 1 0 2.6-5.9M4 4v4.5h4.5M10 9v6l5-3z" />),
  pin: icon(() => (
    <>
      <path d="M12 21s7-6.4 7-11.5a7 7 0 0 0-14 0C5 14.6 12 21 12 21z" />
      <circle cx="12" cy="9.5" r="2.5" />
    </>
  )),
  plus: icon(() => <path d="M12 5v14M5 12h14" />),
  close: icon(() => <path d="M6 6l12 12M18 6L6 18" />),
  check: icon(() => <path d="M5 12l5 5 9-11" />),
  call: icon(() => (
    <path d="M5 4h4l1.5 5-2.2 1.6a12 12 0 0 0 5.1 5.1L15 13.5l5 1.5v4a1.5 1.5 0 0 1-1.6 1.5A16 16 0 0 1 3.5 5.6 1.5 1.5 0 0 1 5 4z" />
  )),
  back: icon(() => <path d="M15 5l-7 7 7 7" />),
  link: icon(() => (
    <path d="M10 14a4 4 0 0 0 5.7 0l3-3a4 4 0 0 0-5.7-5.7l-1.2 1.2M14 10a4 4 0 0 0-5.7 0l-3 3a4 4 0 0 0 5.7 5.7l1.2-1.2" />
  )),
  eye: icon(() => (
    <>
      <path d="M2 12s3.5-6 10-6 10 6 10 6-3.5 6-10 6-10-6-10-6z" />
      <circle cx="12" cy="12" r="2.5" />
    </>
  )),
  text: icon(() => <path d="M4 5h16v11H9l-5 4z" />),
  swap: icon(() => <path d="M4 8h14M14 4l4 4-4 4M20 16H6M10 12l-4 4 4 4" />),
  widen: icon(() => <path d="M3 12h18M7 8l-4 4 4 4M17 8l4 4-4 4" />),
  grid: icon(() => (
    <path d="M4 4h4v4H4zM10 4h4v4h-4zM16 4h4v4h-4zM4 10h4v4H4zM10 10h4v4h-4zM16 10h4v4h-4zM4 16h4v4H4zM10 16h4v4h-4zM16 16h4v4h-4z" />
  )),
  window: icon(() => <path d="M14 4h6v6M20 4l-8 8M10 5H5v14h14v-5" />),
};
