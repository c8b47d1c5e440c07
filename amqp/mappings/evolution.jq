# Events of the Evolution API (https://github.com/EvolutionAPI/evolution-api), as it publishes them to RabbitMQ.
#
# AMQP_MAPPING=evolution uses this file as it is. For anything else, copy it, change the copy, and name that:
# AMQP_MAPPING=/etc/agent-gateway/ours.jq. `agent-gateway map --mapping ours.jq < body.json` shows what a body becomes.
#
# messages.upsert and send.message become messages, of the customer or of the agent's side; messages.update becomes
# statuses of the agent's messages; messages.edited and messages.delete become edits and deletions. Everything else
# (contacts, chats, presence, the connection) becomes nothing: it is acknowledged, and counted as ignored.
#
# What is not named here stays behind: of the body's `apikey`, nothing gets into an event.
#
# Media are on WhatsApp's servers, encrypted. Where Evolution stores them (S3), their address is taken. Else the
# `mediaId` is the id of the message: MEDIA_URL_TEMPLATE may name a service of yours that asks Evolution for it.
# Have it send no base64 ("webhook_base64"): a body of more than 256 KiB goes to the dead letters.

# The object or the list in a field, empty where there is none: looking into these never fails.
def object(name): (.[name] | objects) // {};
def list(name): (.[name] | arrays) // [];

# The tenant and the conversation of an event. Change these in a copy, if yours are others: here, a tenant is an
# instance, and a conversation is the number in the chat's JID, or the whole JID where there is none (a group).
def tenant: .instance;
def conversation: if type == "string" and test("^[0-9]+(:[0-9]+)?@(s\\.whatsapp\\.net|c\\.us)$") then split("@")[0] | split(":")[0] else . end;

# A chat may be known by a JID that hides the number, with the number's JID beside it.
def chat:
  [.remoteJid, .remoteJidAlt, .senderPn | strings]
  | first((.[] | select(test("@(s\\.whatsapp\\.net|c\\.us)$"))), .[0], null)
  | conversation;

# 64-bit numbers come as numbers, as digits or in halves.
def number: if type == "object" then .low elif type == "string" then (try tonumber catch null) else . end;

# What is wrapped: messages that vanish, that are seen once, documents with a caption.
def unwrapped:
  first(
    (.ephemeralMessage, .viewOnceMessage, .viewOnceMessageV2, .viewOnceMessageV2Extension, .documentWithCaptionMessage,
      .editedMessage | objects | select(.message | type == "object") | .message | unwrapped),
    .
  );

def of_card(key):
  [strings | split("\n")[] | rtrimstr("\r") | select(test("^(item[0-9]+\\.)?" + key + "[;:]"; "i")) | sub("^[^:]*:"; "")];
def card: { name: (.displayName // "?"), phones: (.vcard | of_card("TEL")), emails: (.vcard | of_card("EMAIL")) };

def medium($kind; $id; $url): {
  type: $kind, text: .caption, mediaUrl: $url, mediaId: $id, mediaType: .mimetype,
  fileName: (.fileName // .title), fileSize: (.fileLength | number)
};

# What a message says. Exactly one of its fields has it.
def content($id):
  .mediaUrl as $url
  | unwrapped
  | if .conversation then { type: "text", text: .conversation }
    elif .extendedTextMessage then { type: "text", text: object("extendedTextMessage").text }
    elif .imageMessage then object("imageMessage") | medium("image"; $id; $url)
    elif .videoMessage then object("videoMessage") | medium("video"; $id; $url)
    elif .ptvMessage then object("ptvMessage") | medium("video"; $id; $url)
    elif .audioMessage then object("audioMessage") | medium(if .ptt == true then "voice" else "audio" end; $id; $url)
    elif .documentMessage then object("documentMessage") | medium("document"; $id; $url)
    elif .stickerMessage then object("stickerMessage") | medium("sticker"; $id; $url)
    elif .locationMessage or .liveLocationMessage then
      (object("locationMessage") + object("liveLocationMessage")) | {
        type: "location", text: .caption,
        location: { latitude: .degreesLatitude, longitude: .degreesLongitude, name, address, url }
      }
    elif .contactMessage then { type: "contacts", contacts: [object("contactMessage") | card] }
    elif .contactsArrayMessage then { type: "contacts", contacts: [object("contactsArrayMessage") | list("contacts")[] | objects | card][:20] }
    elif .reactionMessage then object("reactionMessage") | { type: "reaction", target: object("key").id, emoji: .text }
    elif .protocolMessage then object("protocolMessage")
      | if .type == "REVOKE" or .type == 0 then { type: "delete", target: object("key").id }
        elif .type == "MESSAGE_EDIT" or .type == 14 then {
          type: "edit", target: object("key").id, text: (object("editedMessage") | content(null) | .text)
        }
        else null end
    elif .buttonsResponseMessage then { type: "button", text: object("buttonsResponseMessage").selectedDisplayText }
    elif .templateButtonReplyMessage then { type: "button", text: object("templateButtonReplyMessage").selectedDisplayText }
    elif .listResponseMessage then { type: "interactive", text: object("listResponseMessage").title }
    elif .interactiveResponseMessage then { type: "interactive", text: (object("interactiveResponseMessage") | object("body").text) }
    elif .orderMessage then { type: "order", text: (object("orderMessage") | .message // .orderTitle) }
    elif .pollCreationMessage or .pollCreationMessageV3 then
      (object("pollCreationMessage") + object("pollCreationMessageV3")) | {
        type: "poll", text: ([.name, (list("options")[] | objects | "- \(.optionName)")] | map(strings) | join("\n"))
      }
    elif .senderKeyDistributionMessage and length <= 2 then null
    else { type: "unsupported" } end;

# What a message answers, and whether it was forwarded: beside the message, or in the part that has it.
def context:
  first(
    (.contextInfo | objects | select(. != {})),
    (.message | objects | unwrapped | .[]? | objects | .contextInfo | objects),
    {}
  );

def message:
  object("key") as $key
  | context as $context
  | (object("message") | content($key.id)) as $content
  | select($content != null and $key.remoteJid != "status@broadcast")
  | {
      messageId: $key.id,
      timestamp: (.messageTimestamp | number),
      conversationId: ($key | chat),
      replyTo: ($context | if .stanzaId then {
        messageId: .stanzaId,
        text: first((.quotedMessage | objects | content(null) | .text), null),
        from: (.participant | conversation)
      } else null end),
      forwarded: ($context.isForwarded == true)
    }
  + $content
  + if $key.fromMe == true then { event: "outbound_message" }
    else {
      event: "inbound_message",
      from: ([$key.participantAlt, $key.participant | strings][0] // null | conversation // ($key | chat)),
      fromName: .pushName
    } end;

# Ticks, by the names and by the numbers that WhatsApp Web has for them.
def tick: {
  "0": "failed", ERROR: "failed", "2": "sent", SERVER_ACK: "sent", "3": "delivered", DELIVERY_ACK: "delivered",
  "4": "read", READ: "read", "5": "played", PLAYED: "played"
}[tostring];

# Of the agent's messages alone; what else changes about a message is no tick.
def update:
  (object("key") + .) as $of
  | (object("update").status // .status | tick) as $status
  | select($status != null and $of.fromMe == true)
  | {
      event: "status_update", conversationId: ($of | chat), messageId: ($of.keyId // $of.id), status: $status
    };

def edited:
  (object("key") + .) as $of
  | {
      event: (if $of.fromMe == true then "outbound_message" else "inbound_message" end),
      conversationId: ($of | chat), type: "edit", target: $of.id,
      messageId: "\($of.id).edited.\(.timestampMs // .messageTimestamp | number)",
      text: (object("editedMessage") | unwrapped | content(null) | .text)
    };

def deleted:
  (object("key") + .) as $of
  | {
      event: (if $of.fromMe == true then "outbound_message" else "inbound_message" end),
      conversationId: ($of | chat), type: "delete", target: $of.id, messageId: "\($of.id).deleted"
    };

if type != "object" or (has("event") and has("data") | not) then error("is no event of the Evolution API") else . end
| tenant as $tenant
| (.event | tostring | ascii_downcase | gsub("_"; ".")) as $event
| .data
| (arrays | .[]), objects
| objects
| if $event == "messages.upsert" or $event == "send.message" then message
  elif $event == "messages.update" then update
  elif $event == "messages.edited" then edited
  elif $event == "messages.delete" then deleted
  else empty end
| . + { tenantId: $tenant }
