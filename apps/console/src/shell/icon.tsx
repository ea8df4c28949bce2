// Strokes of 24 by 24, in the colour of the text around them.
const shapes = {
  documents: 'M7 3h7l5 5v13H7zM14 3v5h5M10 13h6M10 17h6',
  search: 'M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16.200 16.200 21 21',
  system: 'M3 12h4l2.500-7 4.500 14 2.500-7H21',
  upload: 'M12 16V4M7 9l5-5 5 5M4 16v4h16v-4',
  folder: 'M3 6h6l2 2.500h10V19H3z',
  outside: 'M14 4h6v6M20 4l-9 9M18 14v6H4V6h6',
  settings: 'M4 7h9M17 7h3M4 17h3M11 17h9M15 5v4M9 15v4',
  add: 'M12 5v14M5 12h14',
  close: 'M6 6l12 12M18 6 6 18',
  retry: 'M4 5v5h5M4.600 14a8 8 0 1 0 1.400-7.300L4 10',
  good: 'M5 12.500 10 17.500 19 7',
  bad: 'M12 4 2.500 20h19zM12 10v5M12 17.500v.500',
  info: 'M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 11v6M12 7v.500',
  down: 'M6 9l6 6 6-6',
} as const;

export type IconName = keyof typeof shapes;

/** For the eye only: the words beside it say the same. */
export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 24 24" aria-hidden="true" focusable="false">
      <path d={shapes[name]} />
    </svg>
  );
}
