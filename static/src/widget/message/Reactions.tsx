import type { Reaction } from "../../client";
import { useTexts } from "../Texts";
import { senderName } from "./senderName";

/** What people feel about a message: each emoji once, and how many they are. */
export function Reactions({ reactions, several }: { reactions: readonly Reaction[]; several: boolean }) {
  const texts = useTexts();
  const { strings } = texts;
  const by = new Map<string, string[]>();
  for (const reaction of reactions) {
    by.set(reaction.emoji, [...(by.get(reaction.emoji) ?? []), senderName(reaction, texts, several)]);
  }
  return (
    <ul class="reactions" data-testid="reactions" aria-label={strings.reactions}>
      {[...by].map(([emoji, names]) => (
        <li key={emoji} title={strings.reaction(names.join(", "), emoji)}>
          <span class="unseen">{names.join(", ")}: </span>
          <span class="emoji">{emoji}</span>
          {names.length > 1 && ` ${names.length}`}
        </li>
      ))}
    </ul>
  );
}
