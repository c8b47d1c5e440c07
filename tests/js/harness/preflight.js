/** Says once, before any test, what is missing. */
import { Broker } from "./Broker.js";
import { chromium, gatewayBin, nginx } from "./environment.js";

gatewayBin();
chromium();
nginx();
const broker = await Broker.connect();
await broker.close();
