import { Emitter } from "../client/Emitter";
import { isTheme, type WidgetOptions } from "../embed/protocol";
import { Formats } from "./Formats";
import { loadStrings } from "./strings/loadStrings";
import type { Strings } from "./strings/Strings";

/** How the page looks and speaks at the moment. */
export interface LookNow {
  readonly strings: Strings;
  readonly formats: Formats;
  /** What the host calls the conversation, such as by the customer's name. */
  readonly title: string | undefined;
  readonly header: boolean;
}

/** A title that is longer than this is no name. */
const MAX_TITLE = 200;

/** How the host wants the page to look: by its address at first, and by what it posts later. */
export class Look {
  readonly #emitter = new Emitter<{ change: [now: LookNow] }>();
  #options: WidgetOptions = {};
  #now: LookNow | undefined;
  /** Counts the languages that were asked for: the latest is the one that counts. */
  #asked = 0;

  constructor(options: WidgetOptions) {
    this.update(options);
  }

  /** Undefined until its language has been loaded. */
  get now(): LookNow | undefined {
    return this.#now;
  }

  /** Listens to changes and answers a function that stops listening. */
  on(name: "change", listener: (now: LookNow) => void): () => void {
    return this.#emitter.on(name, listener);
  }

  /** What is not named stays as it is. What is no option, a host's mistake, is as if it were not named. */
  update({ title, lang, theme, header }: WidgetOptions): void {
    this.#options = {
      ...this.#options,
      ...(typeof title === "string" && { title }),
      ...(typeof lang === "string" && { lang }),
      ...(typeof header === "boolean" && { header }),
    };
    if (isTheme(theme)) document.documentElement.dataset.theme = theme;
    const asked = (this.#asked += 1);
    const strings = loadStrings(this.#options.lang);
    if (!(strings instanceof Promise)) return this.#take(strings);
    void strings.then((loaded) => {
      if (asked === this.#asked) this.#take(loaded);
    });
  }

  #take(strings: Strings): void {
    const { title, header = true } = this.#options;
    document.documentElement.lang = strings.lang;
    const formats = this.#now?.strings === strings ? this.#now.formats : new Formats(strings, navigator.languages);
    this.#now = { strings, formats, title: title?.trim().slice(0, MAX_TITLE) || undefined, header };
    this.#emitter.emit("change", this.#now);
  }
}
