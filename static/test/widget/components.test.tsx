// @vitest-environment jsdom
/** Components by themselves: what they show, and what their buttons do. */
import { cleanup, render, screen } from "@testing-library/preact";
import type { ComponentChildren } from "preact";
import { afterEach, describe, expect, it, vi } from "vitest";
import type { HistoryState } from "../../src/client";
import { Formats } from "../../src/widget/Formats";
import { HistoryLine } from "../../src/widget/log/HistoryLine";
import { ErrorBoundary } from "../../src/widget/message/ErrorBoundary";
import { StoppedPanel } from "../../src/widget/StoppedPanel";
import { en as strings } from "../../src/widget/strings/en";
import type { Blocker } from "../../src/widget/strings/Strings";
import { TextsProvider } from "../../src/widget/Texts";

afterEach(() => {
  cleanup();
  vi.unstubAllGlobals();
});

function show(children: ComponentChildren) {
  const texts = { strings, formats: new Formats(strings, ["en"]), customer: undefined };
  return render(<TextsProvider value={texts}>{children}</TextsProvider>);
}

describe("the line above the first message", () => {
  it.each<[HistoryState, string]>([
    [{ name: "loading", what: "older" }, strings.history.loading],
    [{ name: "complete" }, strings.history.beginning],
    [{ name: "more" }, ""],
  ])("says of %j “%s”", (history, words) => {
    show(<HistoryLine history={history} onRetry={vi.fn()} />);
    expect(screen.getByRole("status").textContent).toBe(words);
    expect(screen.queryByRole("button")).toBeNull();
  });

  it("is not there where there is no history", () => {
    show(<HistoryLine history={{ name: "none" }} onRetry={vi.fn()} />);
    expect(screen.queryByRole("status")).toBeNull();
  });

  it("tries again what has failed", () => {
    const onRetry = vi.fn();
    show(<HistoryLine history={{ name: "failed", what: "older" }} onRetry={onRetry} />);
    screen.getByRole("button", { name: strings.tryAgain }).click();
    expect(onRetry).toHaveBeenCalledOnce();
  });
});

describe("why nothing more comes", () => {
  it.each<[Blocker, boolean]>([
    ["no-such-conversation", true],
    ["forbidden", true],
    // However often it is tried, the link stays wrong.
    ["invalid-conversation", false],
  ])("is said of %s, and trying again is offered: %s", (why, offered) => {
    show(<StoppedPanel why={why} onRetry={vi.fn()} />);
    expect(screen.getByRole("alert").textContent).toContain(strings.blockers[why].title);
    expect(screen.queryByRole("button") !== null).toBe(offered);
  });
});

describe("a mistake in one part", () => {
  function Part({ works }: { works: boolean }) {
    if (!works) throw new Error("a mistake");
    return <p>works</p>;
  }

  it("leaves the others as they are, is reported, and is over with what comes next", () => {
    const reported = vi.fn();
    vi.stubGlobal("reportError", reported);
    const parts = (second: boolean) => (
      <>
        <Part works />
        <ErrorBoundary of={second} instead={<p>broken</p>}>
          <Part works={second} />
        </ErrorBoundary>
      </>
    );
    const { container, rerender } = render(parts(false));
    expect(container.textContent).toBe("worksbroken");
    expect(reported).toHaveBeenCalledWith(new Error("a mistake"));
    rerender(parts(true));
    expect(container.textContent).toBe("worksworks");
  });
});
