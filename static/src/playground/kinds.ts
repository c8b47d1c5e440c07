import type { Message } from "../client";
import lamp from "./media/lamp.svg";

/** What has been written last, to be answered, edited and so on. */
export interface Latest {
  readonly customers: Message | undefined;
  readonly agents: Message | undefined;
}

/** A type of message beside those with a medium. */
export interface KindOfMessage {
  readonly name: string;
  readonly title: string;
  readonly look: string;
  /** Its fields; undefined where there is nothing yet that it could be about. */
  readonly payload: (latest: Latest) => object | undefined;
}

const about = (message: Message | undefined, fields: object) => message && { ...fields, target: message.messageId };

/** The types that customers send beside text and media. */
export const KINDS: readonly KindOfMessage[] = [
  {
    name: "sticker",
    title: "Sticker",
    look: "A small picture without a bubble.",
    payload: () => ({ type: "sticker", mediaUrl: new URL(lamp, location.href).href, mediaType: "image/svg+xml" }),
  },
  {
    name: "location",
    title: "Location",
    look: "A place by name and address, and a link to a map.",
    payload: () => ({
      type: "location",
      location: { latitude: 38.7139, longitude: -9.1394, name: "Castelo de São Jorge", address: "Lisboa, Portugal" },
    }),
  },
  {
    name: "contacts",
    title: "Contact",
    look: "A card with numbers to call and an address to write to.",
    payload: () => ({
      type: "contacts",
      contacts: [{ name: "João Lopes", phones: ["+351 912 345 678"], emails: ["joao@example.com"] }],
    }),
  },
  {
    name: "reply",
    title: "Reply",
    look: "A quote of the last answer; select it to be led there.",
    payload: ({ agents }) =>
      agents && {
        text: "Yes, that one.",
        replyTo: { messageId: agents.messageId, ...(agents.text && { text: agents.text }) },
      },
  },
  {
    name: "reaction",
    title: "Reaction",
    look: "A heart on the last answer. Pressed again, it is the same heart.",
    payload: ({ agents }) => about(agents, { type: "reaction", emoji: "❤️" }),
  },
  {
    name: "unreaction",
    title: "Take it back",
    look: "The heart goes.",
    payload: ({ agents }) => about(agents, { type: "reaction" }),
  },
  {
    name: "edit",
    title: "Edit",
    look: "Maria’s last message has another text, and says so.",
    payload: ({ customers }) => about(customers, { type: "edit", text: "I meant order 4712, sorry!" }),
  },
  {
    name: "delete",
    title: "Delete",
    look: "“This message was deleted” in place of Maria’s last one.",
    payload: ({ customers }) => about(customers, { type: "delete" }),
  },
  {
    name: "button",
    title: "Button",
    look: "The answer to a template with buttons.",
    payload: () => ({ type: "button", text: "Yes, please" }),
  },
  {
    name: "interactive",
    title: "List",
    look: "An answer that was chosen from a list.",
    payload: () => ({ type: "interactive", text: "Tomorrow, 9:00 to 12:00" }),
  },
  {
    name: "order",
    title: "Order",
    look: "What was put into the cart, line by line.",
    payload: () => ({ type: "order", text: "2 × lamp (€ 49.90)\n1 × shade (€ 12.00)" }),
  },
  {
    name: "forwarded",
    title: "Forwarded",
    look: "A text that somebody else has written, marked as such.",
    payload: () => ({ text: "All lamps 20 % off until Sunday!", forwarded: true }),
  },
  {
    name: "system",
    title: "Notice",
    look: "A line in the middle, which nobody has written.",
    payload: () => ({ type: "system", text: "Maria changed their phone number to +351 912 000 000" }),
  },
  {
    name: "unsupported",
    title: "Unknown",
    look: "A type of tomorrow: the bubble says that it can’t be shown.",
    payload: () => ({ type: "hologram", text: "with the text that it has" }),
  },
];
