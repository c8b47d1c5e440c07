/**
 * How clients come back when replicas go: `node benches/capacity/storm.js` prints the table of docs/capacity.md. The clients
 * keep the schedule of static/src/client/ReconnectSchedule.ts, the replicas take one join after the other, and the proxy in
 * front one TLS handshake after the other on each of its cores. The same numbers come out every time.
 */

/** Seconds before the first, second and every later try, each spread by this share both ways. */
const DELAYS = [1, 2, 5];
const JITTER = 0.5;

/** Seconds after which a client gives up on a try: Socket.IO's `timeout`. */
const PATIENCE = 20;

/** CPU seconds of a connect until `joined` (docs/performance.md), and the share of a core that is free for them. */
const JOIN = 84e-6;
const FREE = 0.5;

/** CPU seconds of a full TLS 1.3 handshake in the proxy: a signature and an exchange of keys, and as much again for the rest. */
const HANDSHAKE = 250e-6;

/** Seconds for which a connection may be silent before its client gives it up, and between two pings. */
const SILENCE = 45;
const PING = 25;

const SCENARIOS = [
  { name: "one of 3 × 15,000 killed", replicas: 3, each: 15_000, gone: 1, proxyCores: 2 },
  { name: "one of 12 × 25,000 killed", replicas: 12, each: 25_000, gone: 1, proxyCores: 4 },
  { name: "the same without jitter", replicas: 12, each: 25_000, gone: 1, proxyCores: 4, jitter: 0 },
  { name: "one of 12 × 50,000 killed", replicas: 12, each: 50_000, gone: 1, proxyCores: 4 },
  { name: "its machine gone without a word", replicas: 12, each: 50_000, gone: 1, proxyCores: 4, silent: true },
  { name: "the proxy of 12 × 25,000 restarted", replicas: 12, each: 25_000, gone: 12, proxyCores: 4, allBack: 0 },
  { name: "the proxy of 12 × 50,000 restarted", replicas: 12, each: 50_000, gone: 12, proxyCores: 4, allBack: 0 },
  { name: "the same with 16 cores", replicas: 12, each: 50_000, gone: 12, proxyCores: 16, allBack: 0 },
  { name: "all of 12 × 25,000 away for 60 s", replicas: 12, each: 25_000, gone: 12, proxyCores: 4, allBack: 60 },
];

/** Numbers from 0 to 1, the same for the same seed (mulberry32). */
function chance(seed) {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Tries by their time; the first is at the root (a binary heap). */
class Agenda {
  #tries = [];

  add(entry) {
    const tries = this.#tries;
    let at = tries.push(entry) - 1;
    for (let parent = (at - 1) >> 1; at > 0 && tries[parent].at > entry.at; parent = (at - 1) >> 1) {
      tries[at] = tries[parent];
      at = parent;
    }
    tries[at] = entry;
  }

  take() {
    const tries = this.#tries;
    const first = tries[0];
    const last = tries.pop();
    if (tries.length === 0) return first;
    let at = 0;
    for (let child = 1; child < tries.length; child = 2 * at + 1) {
      if (child + 1 < tries.length && tries[child + 1].at < tries[child].at) child += 1;
      if (tries[child].at >= last.at) break;
      tries[at] = tries[child];
      at = child;
    }
    tries[at] = last;
    return first;
  }

  get empty() {
    return this.#tries.length === 0;
  }
}

/** Does one thing after the other, each in so many seconds; answers when it is done with one that comes now. */
class Station {
  #free = 0;

  constructor(seconds) {
    this.seconds = seconds;
  }

  serve(now) {
    this.#free = Math.max(this.#free, now) + this.seconds;
    return this.#free;
  }
}

function run({ replicas, each, gone, proxyCores, jitter = JITTER, silent = false, allBack }) {
  const random = chance(1);
  const proxy = new Station(HANDSHAKE / proxyCores);
  const there = allBack === undefined ? replicas - gone : replicas;
  const stations = Array.from({ length: there }, () => new Station(JOIN / FREE));
  const agenda = new Agenda();
  const waits = (tries) => DELAYS[Math.min(tries, 2)] * (1 - jitter + 2 * jitter * random());
  for (let client = 0; client < each * gone; client += 1) {
    const noticed = silent ? SILENCE - PING * random() : 0;
    agenda.add({ at: noticed + waits(0), tries: 1 });
  }
  const joined = [];
  let attempts = 0;
  // Where the fewest are is where one after the other comes to.
  for (let turn = 0; !agenda.empty; turn += 1) {
    const { at, tries } = agenda.take();
    attempts += 1;
    const greeted = proxy.serve(at);
    // While no replica is there, the proxy says so.
    const absent = greeted < (allBack ?? 0);
    const done = absent ? greeted : stations[turn % there].serve(greeted);
    const patient = done - at <= PATIENCE;
    if (absent || !patient) agenda.add({ at: (patient ? done : at + PATIENCE) + waits(tries), tries: tries + 1 });
    else joined.push(done);
  }
  return { joined: joined.sort((a, b) => a - b), attempts, there };
}

/** The most in any second, which begins anywhere. */
function peak(times) {
  let most = 0;
  for (let from = 0, to = 0; to < times.length; to += 1) {
    while (times[to] - times[from] > 1) from += 1;
    most = Math.max(most, to - from + 1);
  }
  return most;
}

const number = new Intl.NumberFormat("en");
console.log("| what | clients | tries | joins/s, most | of each replica | half back | 99 % | all |");
console.log("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
for (const scenario of SCENARIOS) {
  const { joined, attempts, there } = run(scenario);
  const most = peak(joined);
  const share = (part) => `${joined[Math.ceil(joined.length * part) - 1].toFixed(1)} s`;
  const counts = [joined.length, attempts, most, Math.round(most / there)].map((count) => number.format(count));
  console.log(`| ${[scenario.name, ...counts, share(0.5), share(0.99), share(1)].join(" | ")} |`);
}
