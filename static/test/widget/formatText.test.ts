import { expect, it } from "vitest";
import { formatText, type Piece } from "../../src/widget/message/formatText";

/** The pieces as markup, to be read. */
function markup(pieces: readonly Piece[]): string {
  return pieces
    .map((piece) => {
      if ("style" in piece) return `<${piece.style}>${markup(piece.pieces)}</${piece.style}>`;
      return piece.href === undefined ? piece.text : `<a>${piece.text}</a>`;
    })
    .join("");
}

it.each([
  ["*bold*", "<bold>bold</bold>"],
  ["_italic_ and ~struck~", "<italic>italic</italic> and <struck>struck</struck>"],
  ["*bold and _both_*", "<bold>bold and <italic>both</italic></bold>"],
  ["(*bold*), *more*!", "(<bold>bold</bold>), <bold>more</bold>!"],
  ["`code *not bold*`", "<code>code *not bold*</code>"],
  ["```\na block\n  *of lines*\n```", "<block>a block\n  *of lines*</block>"],
  ["before ```in``` after", "before <block>in</block> after"],
  ["*मोटा* and *жирный*", "<bold>मोटा</bold> and <bold>жирный</bold>"],
  ["*👍*", "<bold>👍</bold>"],
])("formats %j", (text, formatted) => {
  expect(markup(formatText(text))).toBe(formatted);
});

it.each([
  "2*3*4 = 24",
  "snake_case_name",
  "* a list\n* of two",
  "*open",
  "*not closed *",
  "* not opened*",
  "**",
  "***",
  "_~*",
  "*a line\nanother*",
  "~~~~",
  "``` open",
  "`` ``",
  "a * b * c",
])("leaves %j as it is", (text) => {
  expect(markup(formatText(text))).toBe(text);
});

it("lets a style be around a link, and none within one", () => {
  expect(markup(formatText("*see https://a.example/x_y_z now*"))).toBe(
    "<bold>see <a>https://a.example/x_y_z</a> now</bold>",
  );
  expect(markup(formatText("_https://a.example/_"))).toBe("<italic><a>https://a.example/</a></italic>");
});

it.each([
  ["signs", "*_~`".repeat(25_000)],
  ["open styles", "*a ".repeat(33_000)],
  ["backticks", "`".repeat(100_000)],
  ["blocks that end nowhere", "```a`b``c".repeat(10_000)],
])("is done in no time with 100,000 %s", (_what, text) => {
  expect(markup(formatText(text)).replace(/<\/?(?:bold|italic|struck|code|block)>/g, "").length).toBeLessThanOrEqual(
    text.length,
  );
});
