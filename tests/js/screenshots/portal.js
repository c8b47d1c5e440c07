import { Gateway } from "../harness/Gateway.js";
import { HostPage } from "../harness/HostPage.js";
import { MediaServer } from "../harness/MediaServer.js";
import { inbound } from "../harness/place.js";
import { BICYCLE } from "./pictures.js";
import { at } from "./Stage.js";

/** The widget in a portal's page, in the theme that the portal asks for. */
export const PORTALS = ["light", "dark"].map((theme) => ({
  name: theme === "light" ? "portal" : "portal-dark",
  async open(run, broker, browser) {
    const host = await HostPage.start(run);
    const gateway = await Gateway.start(run, broker, { ALLOWED_ORIGINS: host.origin });
    const media = await MediaServer.start(run);
    const place = { tenantId: "velo", conversationId: "447700900123" };
    const token = gateway.token(place.tenantId, { name: "Maya Lindqvist" });
    // The device's own theme is the other one.
    const colorScheme = theme === "light" ? "dark" : "light";
    const look = { viewport: { width: 900, height: 640 }, deviceScaleFactor: 1.25, colorScheme, timezoneId: "UTC" };
    const portal = await browser.open(run, "about:blank", look);
    await portal.page.clock.install({ time: at("10:24") });
    await portal.page.goto(host.other("/", page(gateway, place, token, theme)));
    const widget = portal.frame("iframe");
    await widget.live();
    const picture = { mediaUrl: media.drawing("bicycle", 330, 190, BICYCLE), timestamp: at("10:18") };
    await gateway.publish(place, "inbound_message", inbound("hello", "My bike is here, but its rear light is cracked", { timestamp: at("10:17") }));
    await gateway.publish(place, "inbound_message", inbound("photo", "Order VB-20417", picture));
    await widget.message("photo").locator('[data-loaded="true"]').waitFor();
    await gateway.emit(place, "outbound_message", { messageId: "sorry", text: "Sorry about that! A new one leaves today.", timestamp: at("10:20") });
    await gateway.publish(place, "status_update", { messageId: "sorry", status: "read" });
    await widget.ticked("sorry", "read");
    await widget.rests();
    return portal;
  },
}));

const STYLE = `
  body { display: grid; grid-template: 52px 1fr / 250px 1fr; gap: 14px; height: 100vh; margin: 0; padding: 0 14px 14px 0; box-sizing: border-box;
    background: light-dark(#f3f1ec, #1b1a18); color: light-dark(#2a2722, #e9e5dd); font: 14px/1.45 Georgia, serif; }
  header { grid-column: 1 / 3; margin-right: -14px; padding: 14px 20px; background: #7a3b12; color: #fff; font-size: 17px; }
  nav { padding-left: 14px; } nav p { margin: 0 0 8px; padding: 10px 12px; border-radius: 4px; background: light-dark(#fff, #292724); }
  nav p:first-child { border-left: 4px solid #c8742c; } nav small { display: block; opacity: .75; }
  main { border-radius: 4px; overflow: hidden; box-shadow: 0 0 0 1px light-dark(#d8d2c6, #3c3833); }`;

function page({ url }, { tenantId, conversationId }, token, theme) {
  const people = [["Sam Taylor", "VB-20417, waits for an answer"], ["Kim Park", "VB-20398, delivered"], ["Ana Sousa", "VB-20377, returned"]];
  const list = people.map(([name, state]) => `<p>${name}<small>${state}</small></p>`).join("");
  return `<!doctype html><html lang="en" style="color-scheme: ${theme}"><title>Velo desk</title><link rel="icon" href="data:,"><style>${STYLE}</style>
    <script>window.AgentGateway = { getToken: () => "${token}" };</script>
    <header>Velo desk</header><nav>${list}</nav>
    <main><script src="${url}/embed.js" data-tenant-id="${tenantId}" data-conversation-id="${conversationId}" data-title="Sam Taylor" data-theme="${theme}" data-height="100%"></script></main></html>`;
}
