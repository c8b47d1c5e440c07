# Webhooks of Meta's WhatsApp Cloud API, as it posts them.
#
# AMQP_MAPPING=cloud_api uses this file as it is. For anything else, copy it, change the copy, and name that:
# AMQP_MAPPING=/etc/agent-gateway/ours.jq. `agent-gateway map --mapping ours.jq < body.json` shows what a body becomes.
#
# A webhook becomes an event for each message, each message that the business sent from its app, and each status in it.
# What is none of these (account updates, template status, calls, the history of a number, errors of a whole webhook)
# becomes nothing: it is acknowledged, and counted as ignored.
#
# A field that is not there, or not what it should be, is null here, and so left out: one odd message does not take the
# others of its webhook with it.

# The object or the list in a field, empty where there is none: looking into these never fails.
def object(name): (.[name] | objects) // {};
def list(name): (.[name] | arrays) // [];

# The tenant and the conversation of an event. Change these in a copy, if yours are others: here, a tenant is a phone
# number of the business, and a conversation is a customer.
def tenant($value): $value | object("metadata").phone_number_id;
def conversation($customer): $customer;

# Who sent a message. Of somebody who has a username and hides the number, the business-scoped user id is all there is.
def contact($value):
  [.from, .from_user_id | strings] as $ids
  | [$value | list("contacts")[] | objects] as $all
  | first(
      ($all[] | select([.wa_id, .user_id] | any(. as $id | $ids | any(. == $id)))),
      ($all | select(length == 1) | .[0]),
      {}
    );

def lines: map(strings | select(. != "")) | if . == [] then null else join("\n") end;

# What was bought: the customer's words, then a line for each product.
def order:
  [.text, (list("product_items")[] | objects
    | "\(.quantity // 1) × \(.product_retailer_id // "?")"
      + if .item_price == null then "" else " (\(.item_price) \(.currency // ""))" end)]
  | lines;

# Contact cards. An event has 20 at most.
def cards:
  [.[] | objects | {
    name: (object("name").formatted_name // object("org").company // "?"),
    phones: [list("phones")[] | objects | .phone // .wa_id | strings],
    emails: [list("emails")[] | objects | .email | strings]
  }][:20];

# What a message says, by its type.
def content:
  .type as $type
  | (if $type | type == "string" then object($type) else {} end) as $it
  | if $type == "text" then { text: $it.body }
    elif ["image", "video", "audio", "document", "sticker"] | any(. == $type) then {
      type: (if $it.voice == true then "voice" else $type end),
      text: $it.caption, mediaId: $it.id, mediaType: $it.mime_type, fileName: $it.filename
    }
    elif $type == "location" then { location: ($it | { latitude, longitude, name, address, url }) }
    elif $type == "contacts" then { contacts: (list("contacts") | cards) }
    elif $type == "reaction" then { target: $it.message_id, emoji: $it.emoji }
    elif $type == "button" then { text: ($it.text // $it.payload) }
    elif $type == "interactive" then {
      text: ($it | object("button_reply").title
        // ([object("list_reply") | .title, .description] | lines)
        // object("nfm_reply").body // object("nfm_reply").name // object("call_permission_reply").response)
    }
    elif $type == "order" then { text: ($it | order) }
    elif $type == "system" then { text: $it.body }
    elif $type == "revoke" then { type: "delete", target: $it.original_message_id }
    elif $type == "unknown" then { type: "unsupported" }
    # What Meta has added since: its type, and its words, if they are where they usually are.
    else { text: first(($it | .body, .caption, .text | strings), null) }
    end;

# What every message has. An edit has the whole message again, as it is now.
def message($value):
  object("context") as $context
  | { messageId: .id, timestamp, type }
  + (if .type == "edit" then object("edit") | {
        target: .original_message_id, text: (object("message") | content | .text)
      }
      else content end)
  + {
      tenantId: tenant($value),
      replyTo: (if $context.id == null then null else { messageId: $context.id, from: $context.from } end),
      forwarded: ($context.forwarded == true or $context.frequently_forwarded == true)
    };

def inbound($value):
  contact($value) as $contact
  | message($value) + {
      event: "inbound_message",
      conversationId: conversation($contact.wa_id // .from // $contact.user_id // .from_user_id),
      from: (.from // .from_user_id // $contact.wa_id),
      fromName: ($contact | object("profile") | .name // .username)
    };

# What the business itself wrote, in the WhatsApp Business app beside the API.
def outbound($value):
  message($value) + {
    event: "outbound_message",
    conversationId: conversation(.to // .to_user_id)
  };

# Meta has more statuses than there are ticks: the others are no event.
def status($value):
  .status as $status
  | select(["sent", "delivered", "read", "played", "failed"] | any(. == $status))
  | (list("errors")[0] | objects // {}) as $error
  | {
      event: "status_update",
      tenantId: tenant($value),
      conversationId: conversation(.recipient_id // .recipient_user_id),
      messageId: .id, status, timestamp,
      error: (if $error == {} then null else $error | { code, title: (.title // .message) } end)
    };

# The values of a webhook's changes; or of a part of a webhook that somebody has taken out of it.
def values:
  if has("entry") then list("entry")[] | objects | list("changes")[] | objects | .value
  elif has("changes") then list("changes")[] | objects | .value
  elif has("value") then .value
  elif has("messaging_product") then .
  else error("is no webhook of the Cloud API") end
  | objects;

if type == "object" then values else error("is no webhook of the Cloud API") end
| . as $value
| (list("messages")[] | objects | inbound($value)),
  (list("message_echoes")[] | objects | outbound($value)),
  (list("statuses")[] | objects | status($value))
