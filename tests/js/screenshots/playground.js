import { Gateway } from "../harness/Gateway.js";
import { Playground } from "../harness/Playground.js";

/** The playground while one agent is cut off and the other goes on, under a gateway that runs as `dev`. */
export const PLAYGROUND = {
  name: "playground",
  async open(run, broker, browser) {
    const gateway = await Gateway.start(run, broker, {}, ["dev"]);
    const viewport = { width: 1440, height: 900 };
    return Playground.open(run, browser, gateway, { viewport, colorScheme: "light" });
  },
  async play(playground) {
    const customer = "inbound_message confirmed";
    for (const button of ["customer-random", "customer-picture"]) await playground.press(button, customer);
    await playground.press("agent-random", "outbound_message");
    await playground.press("tick-read", "read");
    await playground.press("cut", "hung up on Ada");
    await playground.part("ada", "banner", { state: "offline" }).waitFor();
    await playground.press("customer-random", customer);
    await playground.page.getByTestId("cut").scrollIntoViewIfNeeded();
  },
};
