import flicker from "./media/flicker.webm";
import invoice from "./media/invoice-4711.pdf";
import lamp from "./media/lamp.svg";
import voiceNote from "./media/voice-note.ogg";

/** Who the customer is. */
export const CUSTOMER = "4915112345678";

/** What customers write: short and long, in several scripts, and some that a page must not take for markup. */
export const CUSTOMER_TEXTS = [
  "Hi! Has order 4711 been shipped?",
  "🙏",
  "The lamp is here, thank you! It is even nicer than in the picture.",
  "One question: does it take LED bulbs?\nAnd is there a warranty?",
  "مرحبا، متى يصل الطلب؟",
  "Is this the right page? https://tracking.example.com/4711?lang=en",
  "I have moved. The new address:\n\nMaria Lopes\nRua das Flores 12, 3.º\n1200-195 Lisboa",
  "I'm trying to make it <b>bold</b> & it does not work 😅",
  "Bom dia! Ainda têm a versão vermelha?",
  "ok",
] as const;

/** What agents answer. */
export const AGENT_TEXTS = [
  "Hello Maria, let me look that up for you.",
  "It left our warehouse this morning: https://tracking.example.com/4711",
  "I am sorry about that! A new shade is on its way, at no charge.",
  "Anything else that I can do for you?",
  "You are welcome 🙂",
] as const;

export interface Sample {
  readonly kind: "picture" | "voice" | "video" | "document";
  readonly title: string;
  readonly look: string;
  readonly payload: { readonly mediaUrl: string; readonly mediaType: string; readonly text?: string };
}

const sample = (
  kind: Sample["kind"],
  file: string,
  mediaType: string,
  title: string,
  look: string,
  text?: string,
): Sample => {
  const mediaUrl = new URL(file, location.href).href;
  return { kind, title, look, payload: { mediaUrl, mediaType, ...(text && { text }) } };
};

/** What customers send, served by the playground itself. */
export const SAMPLES: readonly Sample[] = [
  sample(
    "picture",
    lamp,
    "image/svg+xml",
    "Picture",
    "A lamp with a scratch; select it to see it large.",
    "Look, it has a scratch.",
  ),
  sample("voice", voiceNote, "audio/ogg; codecs=opus", "Voice note", "A player for three seconds of sound."),
  sample("video", flicker, "video/webm", "Video", "A player in the bubble; the lamp flickers.", "And it flickers 😬"),
  sample("document", invoice, "application/pdf", "Document", "A link with the file’s name and its host."),
];

export interface Reason {
  readonly code: number;
  readonly title: string;
}

/** Why WhatsApp does not deliver (https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes). */
export const REASONS: readonly Reason[] = [
  { code: 131026, title: "Message undeliverable" },
  { code: 131047, title: "Re-engagement message" },
  { code: 131053, title: "Media upload error" },
];

/** Answers the texts in an order of chance, none twice in a row. */
export function shuffled(texts: readonly string[]): () => string {
  let left: string[] = [];
  let last: string | undefined;
  return () => {
    if (left.length === 0) left = texts.filter((text) => text !== last);
    const [text] = left.splice(Math.floor(Math.random() * left.length), 1);
    return (last = text!);
  };
}
