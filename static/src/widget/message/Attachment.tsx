import type { Contact, Location, Message } from "../../client";
import { PersonIcon, PinIcon } from "../icons";
import { useTexts } from "../Texts";
import { mailLink, phoneLink, safeUrl } from "./links";
import { Media } from "./Media";
import { hasMedium } from "./summary";

/** What a message brings beside its words. */
export function Attachment({ message }: { message: Message }) {
  const { location, contacts, mediaUrl } = message;
  if (message.deletedAt !== undefined) return null;
  return (
    <>
      {location && <Place location={location} />}
      {contacts?.map((contact, index) => (
        <ContactCard key={index} contact={contact} />
      ))}
      {hasMedium(message) && <Media key={mediaUrl} message={message} />}
    </>
  );
}

/** Digits that tell a door from the next: a metre or so. */
const PLACES = 5;

/** A place by its name and coordinates. No map is loaded: nobody else learns what the agent looks at before they ask. */
function Place({ location: { latitude, longitude, name, address, url } }: { location: Location }) {
  const { strings } = useTexts();
  const at = `${latitude},${longitude}`;
  const map = `https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}#map=16/${at.replace(",", "/")}`;
  const coordinates = `${latitude.toFixed(PLACES)}, ${longitude.toFixed(PLACES)}`;
  return (
    <a
      class="file"
      href={(url === undefined ? undefined : safeUrl(url)) ?? map}
      target="_blank"
      rel="noopener noreferrer"
    >
      <span class="file-icon">
        <PinIcon />
      </span>
      <span class="file-names">
        <bdi class="file-name">{name ?? strings.kinds.location}</bdi>
        {address !== undefined && <bdi>{address}</bdi>}
        <span class="file-facts" dir="ltr">
          {coordinates}
        </span>
        <span class="file-facts go">{strings.openMap}</span>
      </span>
    </a>
  );
}

function ContactCard({ contact: { name, phones = [], emails = [] } }: { contact: Contact }) {
  return (
    <div class="file">
      <span class="file-icon">
        <PersonIcon />
      </span>
      <span class="file-names">
        <bdi class="file-name">{name}</bdi>
        {phones.map((phone) => (
          <a key={phone} href={phoneLink(phone)} dir="ltr">
            {phone}
          </a>
        ))}
        {emails.map((email) => (
          <a key={email} href={mailLink(email)} dir="ltr">
            {email}
          </a>
        ))}
      </span>
    </div>
  );
}
