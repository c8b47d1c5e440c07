import { ActionButton } from "./ActionButton";
import { Composer } from "./Composer";
import { BubbleIcon, DiceIcon, DocumentIcon, MicrophoneIcon, PictureIcon, VideoIcon, WebhookIcon } from "./icons";
import { KINDS } from "./kinds";
import type { Playground } from "./Playground";
import { SAMPLES } from "./samples";

const ICONS = {
  picture: <PictureIcon />,
  voice: <MicrophoneIcon />,
  video: <VideoIcon />,
  document: <DocumentIcon />,
};

/** What the customer does. */
export function CustomerCard({ playground }: { playground: Playground }) {
  return (
    <section class="card" aria-labelledby="customer">
      <h2 id="customer">The customer writes</h2>
      <p class="about">
        Published to the exchange <code>{playground.scene.exchange}</code>, as your webhook service does: look for the
        bubble on the left, in both widgets at once.
      </p>
      <Composer
        name="customer"
        label="Text of the customer"
        placeholder="What does Maria write?"
        onSend={(text) => playground.customerWrites(text)}
      />
      <div class="actions">
        <ActionButton
          name="customer-random"
          icon={<DiceIcon />}
          title="Ready-made text"
          wide
          look="Another one each time: links, emoji, Arabic, markup that stays text."
          onPress={() => playground.customerWrites()}
        />
        {SAMPLES.map(({ kind, title, look, payload }) => (
          <ActionButton
            key={kind}
            name={`customer-${kind}`}
            icon={ICONS[kind]}
            title={title}
            look={look}
            onPress={() => playground.customerSends(payload)}
          />
        ))}
        {KINDS.map((kind) => (
          <ActionButton
            key={kind.name}
            name={`customer-${kind.name}`}
            icon={<BubbleIcon />}
            title={kind.title}
            look={kind.look}
            onPress={() => playground.customerSendsKind(kind)}
          />
        ))}
        <ActionButton
          name="webhook"
          icon={<WebhookIcon />}
          title="Cloud API webhook"
          wide
          look="What Meta posts, into the exchange as it is: a text, a reply, a place, and “read” for the last answer. The gateway’s mapping makes events of it."
          onPress={() => playground.webhook()}
        />
      </div>
    </section>
  );
}
