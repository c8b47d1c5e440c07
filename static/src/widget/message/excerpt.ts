/** A text of more characters or lines than this is cut, until the agent wants to read all of it. */
const MAX_CHARACTERS = 2000;
const MAX_LINES = 40;

/** The beginning of a long text, cut at a space where there is one nearby; undefined when all of it can be shown. */
export function excerpt(text: string): string | undefined {
  const end = Math.min(endOfLines(text, MAX_LINES), MAX_CHARACTERS);
  if (end >= text.length) return undefined;
  const start = text.slice(0, end);
  const space = /\s/.test(text[end] ?? "") ? end : /\s\S{0,40}$/.exec(start)?.index;
  // Half of a character that is written as two must not stay behind.
  return start.slice(0, space).replace(/[\ud800-\udbff]$/, "");
}

/** Where the given number of lines ends. */
function endOfLines(text: string, lines: number): number {
  let end = -1;
  for (let count = 0; count < lines; count += 1) {
    end = text.indexOf("\n", end + 1);
    if (end < 0) return text.length;
  }
  return end;
}
