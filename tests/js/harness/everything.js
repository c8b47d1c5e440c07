/** A message of every type, as the webhook service publishes them, and the agents' side as a portal relays it. */

/** The customer's messages, by their ids; `media` is where their media are. */
export function inboundTypes(media) {
  const picture = media.drawing("lamp", 320, 200);
  return {
    text: { type: "text", text: "Is *order 4711* _really_ on its ~way~? See www.example.com, or mail sam@example.com", fromName: "Sam Taylor" },
    image: { type: "image", mediaUrl: picture, mediaType: "image/svg+xml", text: "This is how it arrived" },
    sticker: { type: "sticker", mediaUrl: media.drawing("sticker", 512, 512), mediaType: "image/svg+xml" },
    voice: { type: "voice", mediaUrl: media.voice, mediaType: "audio/wav" },
    audio: { type: "audio", mediaUrl: media.voice, mediaType: "audio/wav" },
    video: { type: "video", mediaUrl: media.video, mediaType: "video/webm", text: "It flickers" },
    document: { type: "document", mediaUrl: `${media.url}/f/8734`, mediaType: "application/pdf", fileName: "Invoice 4711.pdf", fileSize: 123_456 },
    "by-id": { type: "document", mediaId: "1013859600285441", mediaType: "application/pdf", fileName: "Contract.pdf" },
    location: {
      type: "location",
      location: { latitude: 38.7139, longitude: -9.1394, name: "Castelo de São Jorge", address: "R. de Santa Cruz do Castelo, Lisboa" },
    },
    "bare-location": { type: "location", location: { latitude: -33.8568, longitude: 151.2153 } },
    contacts: {
      type: "contacts",
      contacts: [
        { name: "Maria Lopes", phones: ["+351 912 345 678", "+351 210 000 000"], emails: ["maria@example.com"] },
        { name: "Workshop" },
      ],
    },
    button: { type: "button", text: "Yes, please" },
    interactive: { type: "interactive", text: "Tomorrow, 9:00 to 12:00" },
    order: { type: "order", text: "2 × lamp (€ 49.90)\n1 × shade (€ 12.00)" },
    system: { type: "system", text: "Sam Taylor changed their phone number to +44 7700 900456" },
    unsupported: { type: "unsupported" },
    poll: { type: "poll_creation", text: "Which colour?" },
    forwarded: { type: "text", text: "Have you seen this?", forwarded: true },
    edited: { type: "text", text: "Thrusday" },
    gone: { type: "text", text: "Wrong chat" },
    "earlier-reaction": { type: "reaction", target: "long-ago", emoji: "🙏" },
    "earlier-edit": { type: "edit", target: "long-ago", text: "The new text of something old" },
    "earlier-delete": { type: "delete", target: "longer-ago" },
  };
}

/** What happens to some of them afterwards. */
export const LATER = {
  edit: { type: "edit", target: "edited", text: "Thursday" },
  delete: { type: "delete", target: "gone" },
};

/** What answers them, and is answered. */
export const REPLIES = {
  "reply-in": { direction: "in", type: "text", text: "Still waiting for this", replyTo: { messageId: "document", from: "447700900123" } },
  "reply-out": { direction: "out", type: "text", text: "It is, it comes tomorrow", fromName: "Ada", replyTo: { messageId: "text" } },
  "reply-lost": { direction: "in", type: "text", text: "Like that one", replyTo: { messageId: "never-seen", text: "The red one", from: "447700900123" } },
  "reply-bare": { direction: "in", type: "text", text: "And that one?", replyTo: { messageId: "never-seen-either" } },
};

export const REACTIONS = {
  "thanks-1": { direction: "in", type: "reaction", target: "reply-out", emoji: "👍" },
  "thanks-2": { direction: "out", type: "reaction", target: "reply-out", emoji: "❤️" },
  "thanks-3": { direction: "out", type: "reaction", target: "image", emoji: "😮" },
};

/** Has all of it happen, and waits until the page shows it. */
export async function everything(gateway, place, page, media) {
  const inbound = (messageId, message) => gateway.publish(place, "inbound_message", { messageId, from: "447700900123", ...message });
  const send = async (messageId, { direction, ...message }) => {
    if (direction === "in") await inbound(messageId, message);
    else await gateway.emit(place, "outbound_message", { messageId, ...message });
  };
  for (const [messageId, message] of Object.entries(inboundTypes(media))) await inbound(messageId, message);
  await page.message("earlier-delete").waitFor();
  for (const [messageId, message] of Object.entries(LATER)) await inbound(messageId, message);
  await page.message("gone").getByText("This message was deleted").waitFor();
  for (const [messageId, message] of Object.entries(REPLIES)) {
    await send(messageId, message);
    await page.message(messageId).waitFor();
  }
  for (const [messageId, message] of Object.entries(REACTIONS)) await send(messageId, message);
  // One comes by the queue and one by the relay, which is faster or not.
  for (const emoji of ["👍", "❤️"]) await page.message("reply-out").getByTestId("reactions").getByText(emoji).waitFor();
  await page.message("image").getByTestId("reactions").waitFor();
  for (const status of ["sent", "delivered", "read"]) {
    await gateway.publish(place, "status_update", { messageId: "reply-out", status });
  }
  await page.ticked("reply-out", "read");
}
