// Draws how cost grows: benches/plots/growth.js RESULTS FOLDER
//
// RESULTS has the lines of JSON that the load generator appends to the file of that name; FOLDER gets one
// SVG for each curve. A point is the median over the trials of a scenario.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const WIDTH = 640;
const HEIGHT = 320;
const MARGIN = { left: 56, right: 24, top: 40, bottom: 48 };

/** What varies along a curve, and which scenarios (rooms x sockets @ rate) belong to it. */
const CURVES = [
  {
    file: 'sockets.svg',
    title: 'Sockets, in rooms of 2, at 1,000 messages a second',
    axis: 'sockets',
    of: ({ rooms, members, rate }) => (members === 2 && rate === 1000 ? rooms * members : undefined),
  },
  {
    file: 'rooms.svg',
    title: 'Rooms of one socket, at 1,000 messages a second',
    axis: 'rooms',
    of: ({ rooms, members, rate }) => (members === 1 && rate === 1000 ? rooms : undefined),
  },
  {
    file: 'rate.svg',
    title: 'Messages a second, into 500 rooms of 2',
    axis: 'messages a second',
    of: ({ rooms, members, rate }) => (rooms === 500 && members === 2 ? rate : undefined),
  },
];

const COLOURS = { ours: '#0b6e4f', peer: '#c1121f' };

/** @param {number[]} values */
function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

/** The points of one curve, by side: [x, cost]. */
function points(trials, of) {
  const costs = new Map();
  for (const trial of trials) {
    const match = /^(\d+)x(\d+)@(\d+)$/.exec(trial.scenario);
    if (match === null || typeof trial.cost !== 'number') continue;
    const [rooms, members, rate] = match.slice(1).map(Number);
    const x = of({ rooms, members, rate });
    if (x === undefined) continue;
    const key = `${trial.side} ${x}`;
    costs.set(key, [...(costs.get(key) ?? []), trial.cost]);
  }
  const bySide = { ours: [], peer: [] };
  for (const [key, values] of costs) {
    const [side, x] = key.split(' ');
    bySide[side === 'ours' ? 'ours' : 'peer'].push([Number(x), median(values)]);
  }
  for (const side of Object.values(bySide)) side.sort(([a], [b]) => a - b);
  return bySide;
}

function draw({ title, axis }, bySide) {
  const all = [...bySide.ours, ...bySide.peer];
  const xs = all.map(([x]) => x);
  const [least, most] = [Math.min(...xs), Math.max(...xs)];
  const top = Math.max(...all.map(([, cost]) => cost)) * 1.1;
  const span = Math.log(most) - Math.log(least) || 1;
  const px = (x) => MARGIN.left + ((Math.log(x) - Math.log(least)) / span) * (WIDTH - MARGIN.left - MARGIN.right);
  const py = (cost) => HEIGHT - MARGIN.bottom - (cost / top) * (HEIGHT - MARGIN.top - MARGIN.bottom);
  const text = (x, y, words, more = '') => `<text x="${x}" y="${y}" ${more}>${words}</text>`;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="#ffffff"/>`,
    text(MARGIN.left, 22, title, 'font-size="14" font-weight="bold"'),
    text(WIDTH / 2, HEIGHT - 8, axis, 'text-anchor="middle"'),
    text(14, HEIGHT / 2, 'CPU µs an event', `text-anchor="middle" transform="rotate(-90 14 ${HEIGHT / 2})"`),
  ];
  const step = 10 ** Math.floor(Math.log10(top / 2));
  const every = top / step > 6 ? step * 2 : step;
  for (let cost = 0; cost <= top; cost += every) {
    const y = py(cost);
    parts.push(`<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y}" y2="${y}" stroke="#dddddd"/>`);
    parts.push(text(MARGIN.left - 6, y + 4, cost, 'text-anchor="end"'));
  }
  for (const x of [...new Set(xs)].sort((a, b) => a - b)) {
    parts.push(text(px(x), HEIGHT - MARGIN.bottom + 16, x.toLocaleString('en'), 'text-anchor="middle"'));
  }
  let row = 0;
  for (const [side, name] of [['ours', 'agent-gateway'], ['peer', 'Node']]) {
    if (bySide[side].length === 0) continue;
    const line = bySide[side].map(([x, cost]) => `${px(x).toFixed(1)},${py(cost).toFixed(1)}`);
    parts.push(`<polyline fill="none" stroke="${COLOURS[side]}" stroke-width="2" points="${line.join(' ')}"/>`);
    for (const point of line) {
      const [x, y] = point.split(',');
      parts.push(`<circle cx="${x}" cy="${y}" r="3" fill="${COLOURS[side]}"/>`);
    }
    const y = MARGIN.top + 16 * row++;
    parts.push(text(WIDTH - MARGIN.right, y, name, `text-anchor="end" fill="${COLOURS[side]}"`));
  }
  parts.push('</svg>', '');
  return parts.join('\n');
}

const [results, folder] = process.argv.slice(2);
if (results === undefined || folder === undefined) {
  console.error('usage: growth.js RESULTS FOLDER');
  process.exit(64);
}
const trials = readFileSync(results, 'utf8').trim().split('\n').map((line) => JSON.parse(line));
mkdirSync(folder, { recursive: true });
for (const curve of CURVES) {
  const bySide = points(trials, curve.of);
  if (bySide.ours.length < 2) continue;
  writeFileSync(join(folder, curve.file), draw(curve, bySide));
  console.log(`${curve.title}:`);
  for (const [x, cost] of bySide.ours) {
    const peer = bySide.peer.find(([other]) => other === x)?.[1];
    console.log(`  ${x}: ${cost.toFixed(1)}${peer === undefined ? '' : `, Node ${peer.toFixed(1)}`}`);
  }
}
