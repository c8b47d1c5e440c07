import { until } from "./until.js";

/**
 * Looks out, from now on, for an element that may be gone again before anybody asks for it. Answers how to wait until it
 * has been seen; to be called before whatever brings the element.
 */
export async function glimpse(root, selector) {
  const lookout = await root.locator("body").evaluateHandle((_body, selector) => {
    const lookout = { seen: false };
    const observer = new MutationObserver(look);
    observer.observe(document, { subtree: true, childList: true, attributes: true });
    look();
    return lookout;

    function look() {
      lookout.seen = [...document.querySelectorAll(selector)].some((element) => element.checkVisibility());
      if (lookout.seen) observer.disconnect();
    }
  }, selector);
  return () => until(`a glimpse of ${selector}`, () => lookout.evaluate(({ seen }) => seen));
}
