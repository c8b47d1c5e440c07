import { CUSTOMER } from "./samples";

/** A webhook of WhatsApp's Cloud API with several messages, and a status for an agent's message if there is one. */
export function cloudApiWebhook(answered: string | undefined): object {
  const id = () => `wamid.${crypto.randomUUID()}`;
  const timestamp = String(Math.floor(Date.now() / 1000));
  const from = { from: CUSTOMER, timestamp };
  const text = id();
  return {
    object: "whatsapp_business_account",
    entry: [
      {
        id: "102290129340398",
        changes: [
          {
            field: "messages",
            value: {
              messaging_product: "whatsapp",
              metadata: { display_phone_number: "15550783881", phone_number_id: "106540352242922" },
              contacts: [{ profile: { name: "Maria Lopes" }, wa_id: CUSTOMER }],
              messages: [
                { ...from, id: text, type: "text", text: { body: "This is a *webhook* of Meta’s" } },
                {
                  ...from,
                  id: id(),
                  type: "text",
                  text: { body: "… that answers itself" },
                  context: { from: CUSTOMER, id: text },
                },
                {
                  ...from,
                  id: id(),
                  type: "location",
                  location: { latitude: 38.7139, longitude: -9.1394, name: "Castelo de São Jorge" },
                },
              ],
              ...(answered !== undefined && {
                statuses: [{ id: answered, status: "read", timestamp, recipient_id: CUSTOMER }],
              }),
            },
          },
        ],
      },
    ],
  };
}
