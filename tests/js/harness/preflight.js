/** Says once, before any test, what is missing. */
import { Broker } from "./Broker.js";
import { chromium, gatewayBin } from "./environment.js";

gatewayBin();
chromium();
const broker = await Broker.connect();
await broker.close();
