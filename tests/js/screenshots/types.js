/** Every type of message, and what becomes of some: one after the other, as tall as it is. */
import { inboundTypes, LATER, REACTIONS, REPLIES } from "../harness/everything.js";
import { BELL, BICYCLE } from "./pictures.js";

export async function types(scene) {
  const { media, page, widget } = scene;
  const drawn = {
    image: { mediaUrl: media.drawing("bicycle", 330, 190, BICYCLE) },
    sticker: { mediaUrl: media.drawing("bell", 512, 512, BELL) },
  };
  let minute = 0;
  const time = () => `09:${String((minute += 1)).padStart(2, "0")}`;
  for (const [messageId, message] of Object.entries(inboundTypes(media))) {
    await scene.customer(time(), { messageId, ...message, ...drawn[messageId] });
  }
  for (const [messageId, message] of Object.entries(LATER)) await scene.customerDoes({ messageId, ...message });
  for (const [messageId, { direction, ...message }] of Object.entries(REPLIES)) {
    if (direction === "in") await scene.customer(time(), { messageId, ...message });
    else await scene.agent(time(), "read", { messageId, ...message });
  }
  for (const [messageId, { direction, ...reaction }] of Object.entries(REACTIONS)) {
    if (direction === "in") await scene.customerDoes({ messageId, ...reaction });
    else await scene.agentDoes({ messageId, ...reaction });
  }
  await widget.message("reply-out").getByTestId("reactions").locator("li").nth(1).waitFor();
  await widget.message("image").getByTestId("reactions").waitFor();
  await widget.message("gone").getByText("This message was deleted").waitFor();
  await scene.agent(time(), "failed", "See you at ten", { code: 131026, title: "Message undeliverable" });
  const height = await page.getByRole("log").evaluate((log) => log.scrollHeight + log.getBoundingClientRect().top);
  await page.setViewportSize({ width: page.viewportSize().width, height: Math.ceil(height) });
  await widget.rests();
}
