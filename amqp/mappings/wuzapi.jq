# Events of WuzAPI (https://github.com/asternic/wuzapi), as it publishes them to RabbitMQ.
#
# AMQP_MAPPING=wuzapi uses this file as it is. For anything else, copy it, change the copy, and name that:
# AMQP_MAPPING=/etc/agent-gateway/ours.jq. `agent-gateway map --mapping ours.jq < body.json` shows what a body becomes.
#
# Message becomes a message, of the customer or of the agent's side; ReadReceipt becomes statuses of the agent's
# messages. Everything else (presence, chats, calls, the connection) becomes nothing: it is acknowledged, and counted as
# ignored. What is not named here stays behind: of the body's `token`, nothing gets into an event.
#
# Media are on WhatsApp's servers, encrypted. Where WuzAPI stores them (S3), their address is taken. Else the `mediaId` is
# the id of the message: MEDIA_URL_TEMPLATE may name a service of yours that has the medium. Have WuzAPI send no base64:
# a body of more than 256 KiB goes to the dead letters.

# The object or the list in a field, empty where there is none: looking into these never fails.
def object(name): (.[name] | objects) // {};
def list(name): (.[name] | arrays) // [];

# A text that is there.
def text: strings | select(. != "");
def first_text(f): first((f | text), null);

# The tenant and the conversation of an event. Change these in a copy, if yours are others: here, a tenant is an
# instance by its name, or its user's id, and a conversation is the number in the chat's JID, or the whole JID where
# there is none (a group).
def tenant: first((.instanceName, .userID | text), (.userID | numbers), null);
def conversation: if type == "string" and test("^[0-9]+([.:][0-9:]+)?@(s\\.whatsapp\\.net|c\\.us)$") then split("@")[0] | split(":")[0] | split(".")[0] else . end;

# A chat may be known by a JID that hides the number, with the number's JID beside it.
def one_of(f):
  [f | text]
  | first((.[] | select(test("@(s\\.whatsapp\\.net|c\\.us)$"))), .[0], null)
  | conversation;
def chat:
  if .IsGroup == true then .Chat
  elif .IsFromMe == true then one_of(.Chat, .RecipientAlt)
  else one_of(.Chat, .SenderAlt) end;

# What is wrapped: messages that vanish, that are seen once, documents with a caption.
def unwrapped:
  first(
    (.ephemeralMessage, .viewOnceMessage, .viewOnceMessageV2, .viewOnceMessageV2Extension, .documentWithCaptionMessage,
      .editedMessage, .deviceSentMessage | objects | select(.message | type == "object") | .message | unwrapped),
    .
  );

def of_card(key):
  [strings | split("\n")[] | rtrimstr("\r") | select(test("^(item[0-9]+\\.)?" + key + "[;:]"; "i")) | sub("^[^:]*:"; "")];
def card: { name: (.displayName // "?"), phones: (.vcard | of_card("TEL")), emails: (.vcard | of_card("EMAIL")) };

def id: .ID // .id;

def medium($kind; $id; $stored): {
  type: $kind, text: .caption, mediaId: $id, mediaType: (.mimetype // $stored.mimeType),
  mediaUrl: $stored.url, fileName: (.fileName // .title // $stored.fileName), fileSize: (.fileLength // $stored.size)
};

# What a message says. Exactly one of its fields has it.
def content($id; $stored):
  unwrapped
  | if .conversation then { type: "text", text: .conversation }
    elif .extendedTextMessage then { type: "text", text: object("extendedTextMessage").text }
    elif .imageMessage then object("imageMessage") | medium("image"; $id; $stored)
    elif .videoMessage then object("videoMessage") | medium("video"; $id; $stored)
    elif .ptvMessage then object("ptvMessage") | medium("video"; $id; $stored)
    elif .audioMessage then object("audioMessage")
      | medium(if .PTT == true or .ptt == true then "voice" else "audio" end; $id; $stored)
    elif .documentMessage then object("documentMessage") | medium("document"; $id; $stored)
    elif .stickerMessage then object("stickerMessage") | medium("sticker"; $id; $stored)
    elif .locationMessage or .liveLocationMessage then
      (object("locationMessage") + object("liveLocationMessage")) | {
        type: "location", text: .caption,
        location: { latitude: .degreesLatitude, longitude: .degreesLongitude, name, address, url: (.URL // .url) }
      }
    elif .contactMessage then { type: "contacts", contacts: [object("contactMessage") | card] }
    elif .contactsArrayMessage then { type: "contacts", contacts: [object("contactsArrayMessage") | list("contacts")[] | objects | card][:20] }
    elif .reactionMessage then object("reactionMessage") | { type: "reaction", target: (object("key") | id), emoji: .text }
    elif .protocolMessage then object("protocolMessage")
      # Go leaves out what is zero, and zero is a deletion.
      | if .type == "MESSAGE_EDIT" or .type == 14 then {
          type: "edit", target: (object("key") | id), text: (object("editedMessage") | content(null; {}) | .text)
        }
        elif .type == "REVOKE" or .type == 0 or (.type == null and (.key | type == "object")) then {
          type: "delete", target: (object("key") | id)
        }
        else null end
    elif .buttonsResponseMessage then {
      type: "button",
      text: (object("buttonsResponseMessage") | object("Response").SelectedDisplayText // .selectedDisplayText)
    }
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

# What a message answers, and whether it was forwarded: in the part that has the message.
def context: first((unwrapped | .[]? | objects | .contextInfo | objects), {});

def message:
  object("s3") as $stored
  | .event
  | object("Info") as $info
  | (object("Message") | context) as $context
  | (object("Message") | content($info.ID; $stored)) as $content
  | select($content != null and $info.Chat != "status@broadcast")
  | {
      messageId: $info.ID,
      timestamp: $info.Timestamp,
      conversationId: ($info | chat),
      replyTo: ($context | first_text(.stanzaID, .stanzaId) as $id | if $id then {
        messageId: $id,
        text: first((.quotedMessage | objects | content(null; {}) | .text), null),
        from: (.participant | conversation)
      } else null end),
      forwarded: ($context.isForwarded == true)
    }
  + $content
  + if $info.IsFromMe == true then { event: "outbound_message" }
    else { event: "inbound_message", from: ($info | one_of(.Sender, .SenderAlt)), fromName: $info.PushName } end;

# Somebody else's receipts: those of the agent's own reading are no ticks.
def receipt:
  .state as $state
  | .event
  | (if .Type == "played" then "played"
     elif $state == "Read" or .Type == "read" then "read"
     elif $state == "Delivered" or .Type == "" then "delivered"
     else null end) as $status
  | select($status != null and .IsFromMe != true)
  | . as $receipt
  | list("MessageIDs")[]
  | {
      event: "status_update", conversationId: ($receipt | chat), messageId: ., status: $status,
      timestamp: $receipt.Timestamp
    };

if type != "object" or (has("type") | not) then error("is no event of WuzAPI") else . end
| tenant as $tenant
| select(.event | type == "object")
| if .type == "Message" then message
  elif .type == "ReadReceipt" then receipt
  else empty end
| . + { tenantId: $tenant }
