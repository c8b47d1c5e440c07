/** What the people in the scenes have photographed. */

/** A bicycle whose rear light is cracked. */
export const BICYCLE = `<defs>
    <linearGradient id="wall" x2="0" y2="1"><stop stop-color="#e9dccb"/><stop offset="1" stop-color="#d3bfa6"/></linearGradient>
    <linearGradient id="floor" x2="0" y2="1"><stop stop-color="#9a8f86"/><stop offset="1" stop-color="#7d736b"/></linearGradient>
  </defs>
  <rect width="330" height="140" fill="url(#wall)"/>
  <path d="M0 32h330M0 68h330M0 104h330M60 0v32M180 0v32M290 0v32M20 32v36M120 32v36M240 32v36M70 68v36M200 68v36M300 68v36M30 104v36M140 104v36M260 104v36" stroke="#c2ab8f" stroke-width="2" opacity=".55"/>
  <rect y="140" width="330" height="50" fill="url(#floor)"/>
  <ellipse cx="166" cy="168" rx="128" ry="9" opacity=".25"/>
  <g fill="none" stroke-linecap="round" stroke-linejoin="round">
    <g stroke="#2b2f33"><circle cx="86" cy="122" r="44" stroke-width="6"/><circle cx="244" cy="122" r="44" stroke-width="6"/></g>
    <g stroke="#8d949a" stroke-width="1">
      <path d="M86 78v88M42 122h88M55 91l62 62M55 153l62-62M244 78v88M200 122h88M213 91l62 62M213 153l62-62"/>
    </g>
    <path d="M150 126 86 122 122 72 150 126 220 68 128 70M122 72l-6-18M220 68l24 54M220 68l-6-22" stroke="#0b6b57" stroke-width="7"/>
    <path d="M102 53h28" stroke="#3a2a20" stroke-width="9"/>
    <path d="M214 46h20q10 1 8 10" stroke="#2b2f33" stroke-width="5"/>
    <circle cx="150" cy="126" r="10" stroke="#2b2f33" stroke-width="4"/>
    <path d="m150 126 12 17m-6 0h12" stroke="#2b2f33" stroke-width="4"/>
    <path d="M42 104q4-28 34-32" stroke="#2b2f33" stroke-width="4"/>
  </g>
  <path d="m34 78 16-4 3 16-15 4z" fill="#c62f2f"/><path d="m35 80 7 4-3 4 9 3" fill="none" stroke="#fff" stroke-width="1.6"/>
  <circle cx="43" cy="84" r="18" fill="none" stroke="#ffd23f" stroke-width="3.5"/>`;

/** A sticker: a bicycle bell that smiles. */
export const BELL = `<circle cx="256" cy="262" r="190" fill="#fff"/>
  <circle cx="256" cy="262" r="168" fill="#ffc93c"/><path d="M88 262a168 168 0 0 0 336 0" fill="#f0a500"/>
  <circle cx="256" cy="84" r="30" fill="#8d949a" stroke="#fff" stroke-width="14"/>
  <g fill="#3a2a20"><circle cx="196" cy="232" r="20"/><circle cx="316" cy="232" r="20"/></g>
  <path d="M180 300q76 76 152 0" fill="none" stroke="#3a2a20" stroke-width="18" stroke-linecap="round"/>
  <path d="M40 150q20-60 70-92M472 150q-20-60-70-92" fill="none" stroke="#0b6b57" stroke-width="16" stroke-linecap="round"/>`;
