/** A sign on a key such as 1️⃣, a country's flag, or a picture with what changes or joins it; England's flag is spelled in tags. */
const EMOJI =
  /[0-9#*]\ufe0f?\u20e3|\p{Regional_Indicator}{2}|\p{Extended_Pictographic}(?:\ufe0f|\p{Emoji_Modifier}|[\u{e0020}-\u{e007f}]|\u200d\p{Extended_Pictographic})*/u;

const UP_TO_THREE = new RegExp(`^\\s*(?:(?:${EMOJI.source})\\s*){1,3}$`, "u");

/** Longer than any three emoji, however they are composed. */
const MAX_LENGTH = 64;

/** Whether a text is up to three emoji and nothing else, which are drawn larger. */
export function isEmojiOnly(text: string): boolean {
  return text.length <= MAX_LENGTH && UP_TO_THREE.test(text);
}
