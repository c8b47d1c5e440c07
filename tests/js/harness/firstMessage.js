import { until } from "./until.js";

/** Goes to an address, and answers after how many milliseconds the frame was there that shows the first message. */
export async function firstMessage({ page }, address) {
  await page.addInitScript(() => {
    new MutationObserver((_, observer) => {
      if (!document.querySelector("[data-message-id]")) return;
      observer.disconnect();
      requestAnimationFrame(() => setTimeout(() => (window.firstMessageAt = performance.now())));
    }).observe(document, { childList: true, subtree: true });
  });
  await page.goto(address, { waitUntil: "commit" });
  return until("a message", () => page.evaluate(() => window.firstMessageAt));
}
