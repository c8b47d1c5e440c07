/** Takes the pictures of docs/, or those of the scenes that are named: `npm run screenshots -- ../../docs widget-dark`. */
import { mkdirSync } from "node:fs";
import { join, resolve } from "node:path";
import { Broker } from "../harness/Broker.js";
import { giveUp } from "../harness/environment.js";
import { PLAYGROUND } from "./playground.js";
import { PORTALS } from "./portal.js";
import { SCENES } from "./scenes.js";
import { Stage } from "./Stage.js";

const [folder = giveUp("say where the pictures go: npm run screenshots -- ../../docs"), ...names] = process.argv.slice(2);
const known = [...SCENES, ...PORTALS, PLAYGROUND].map(({ name }) => name);
const unknown = names.find((name) => !known.includes(name));
if (unknown) giveUp(`there is no scene ${unknown}`);

const cleanups = [];
const run = { after: (cleanup) => cleanups.unshift(cleanup) };
try {
  mkdirSync(resolve(folder), { recursive: true });
  const broker = await Broker.connect();
  run.after(() => broker.close());
  const stage = await Stage.open(run, broker);
  const wanted = ({ name }) => names.length === 0 || names.includes(name);
  for (const scene of SCENES.filter(wanted)) await take(stage, scene);
  for (const { name, open } of PORTALS.filter(wanted)) await shoot((await open(run, broker, stage.browser)).page, name);
  if (wanted(PLAYGROUND)) await takePlayground(broker, stage.browser);
} finally {
  for (const cleanup of cleanups) await cleanup();
}

async function take(stage, { name, options, play, outage = false }) {
  const scene = await stage.show(name, options);
  await play(scene);
  await scene.settled();
  const problems = scene.widget.problems({ outage });
  if (problems.length > 0) throw new Error(`the page complains in ${name}:\n${problems.join("\n")}`);
  await shoot(scene.page, name);
}

async function takePlayground(broker, browser) {
  const playground = await PLAYGROUND.open(run, broker, browser);
  await PLAYGROUND.play(playground);
  await shoot(playground.page, PLAYGROUND.name);
}

async function shoot(page, name) {
  const path = join(folder, `${name}.png`);
  await page.screenshot({ path, animations: "disabled" });
  process.stdout.write(`${path}\n`);
}
