import type { OfflineReason, StopReason } from "../client";

/** Why the page shows no conversation: what the client says, and what the page itself finds missing. */
export type Blocker = Exclude<StopReason, "closed"> | "missing-conversation" | "missing-token" | "sandboxed";

/** All words of the page in one language. */
export interface Strings {
  readonly lang: string;
  readonly conversation: string;
  readonly messages: string;
  readonly agent: (name: string) => string;
  readonly states: Record<"connecting" | "catching-up" | "live" | "offline" | "stopped", string>;
  readonly connecting: string;
  readonly loading: string;
  readonly noConnection: string;
  readonly empty: { readonly title: string; readonly hint: string };
  readonly offline: Record<OfflineReason, string>;
  readonly nextTry: (seconds: number) => string;
  readonly reconnecting: string;
  readonly retry: string;
  readonly backOnline: string;
  readonly gap: string;
  readonly dismiss: string;
  readonly blockers: Record<Blocker, { readonly title: string; readonly advice: string }>;
  readonly tryAgain: string;
  readonly newMessages: (count: number) => string;
  readonly toLatest: string;
  readonly unreadTitle: (count: number, title: string) => string;
  readonly today: string;
  readonly yesterday: string;
  readonly received: (from: string | undefined) => string;
  readonly sent: string;
  readonly statuses: Record<"sent" | "delivered" | "read" | "failed", string>;
  readonly sound: string;
  readonly readMore: string;
  readonly enlarge: string;
  readonly openOriginal: string;
  readonly close: string;
  readonly image: string;
  readonly audio: string;
  readonly video: string;
  readonly file: string;
  readonly blockedMedia: string;
  readonly unsupported: string;
}

const en: Strings = {
  lang: "en",
  conversation: "Conversation",
  messages: "Messages",
  agent: (name) => `Reading as ${name}`,
  states: {
    connecting: "Connecting…",
    "catching-up": "Catching up…",
    live: "Live",
    offline: "Offline",
    stopped: "Not connected",
  },
  connecting: "Connecting to the conversation…",
  loading: "Loading messages…",
  noConnection: "Messages appear here once there is a connection.",
  empty: { title: "No recent messages", hint: "New messages appear here as they arrive." },
  offline: {
    "no-network": "This device has no network connection.",
    unreachable: "The message service can’t be reached.",
    timeout: "The message service doesn’t answer.",
    "connection-lost": "The connection was lost.",
    disconnected: "The message service ended the connection.",
    unavailable: "The message service is unavailable at the moment.",
    "too-many-connections": "The message service is busy.",
  },
  nextTry: (seconds) => (seconds > 0 ? `Next try in ${seconds} s` : "Trying again…"),
  reconnecting: "Reconnecting…",
  retry: "Retry now",
  backOnline: "Back online",
  gap: "Some older messages may be missing here. Your portal has the whole conversation.",
  dismiss: "Dismiss",
  blockers: {
    "missing-conversation": {
      title: "This link is incomplete",
      advice: "It doesn’t say which conversation to show. Open the conversation again from your portal.",
    },
    "missing-token": {
      title: "You are not signed in",
      advice: "Open the conversation again from your portal to sign in.",
    },
    "authentication-required": {
      title: "You are not signed in",
      advice: "Open the conversation again from your portal to sign in.",
    },
    "invalid-token": {
      title: "Your sign-in was not accepted",
      advice: "Open the conversation again from your portal. If that doesn’t help, tell your administrator.",
    },
    "token-expired": {
      title: "Your session has ended",
      advice: "Open the conversation again from your portal to go on. New messages are not shown until then.",
    },
    "token-unavailable": {
      title: "Signing in didn’t work",
      advice: "Try again, or open the conversation again from your portal.",
    },
    "token-unusable": {
      title: "Signing in didn’t work",
      advice: "Your portal answered something that is no sign-in. Open the conversation again; if that doesn’t help, tell your administrator.",
    },
    forbidden: {
      title: "You have no access to this conversation",
      advice: "Ask your administrator for access, or choose another conversation in your portal.",
    },
    "no-such-conversation": {
      title: "There is no such conversation",
      advice: "It may have been removed, or moved. Open it again from your portal.",
    },
    "invalid-conversation": {
      title: "This link is broken",
      advice: "It names no conversation that can exist. Open the conversation again from your portal.",
    },
    "origin-not-allowed": {
      title: "The message service doesn’t accept this page",
      advice: "Tell your administrator: the service doesn’t know that it is reached at this address. This setting of the service says so:",
    },
    sandboxed: {
      title: "Your portal’s frame keeps this page from working",
      advice: "Tell your administrator: the frame’s sandbox is too strict. It needs at least:",
    },
  },
  tryAgain: "Try again",
  newMessages: (count) => (count === 1 ? "1 new message" : `${count} new messages`),
  toLatest: "Go to the latest message",
  unreadTitle: (count, title) => `(${count}) ${title}`,
  today: "Today",
  yesterday: "Yesterday",
  received: (from) => (from === undefined ? "Customer:" : `${from}:`),
  sent: "Agent:",
  statuses: { sent: "Sent", delivered: "Delivered", read: "Read", failed: "Not delivered" },
  sound: "Sound for new messages",
  readMore: "Read more",
  enlarge: "Enlarge image",
  openOriginal: "Open the original",
  close: "Close",
  image: "Image",
  audio: "Voice message or audio",
  video: "Video",
  file: "File",
  blockedMedia: "An attachment that can’t be opened safely",
  unsupported: "This kind of message can’t be shown here",
};

const de: Strings = {
  lang: "de",
  conversation: "Unterhaltung",
  messages: "Nachrichten",
  agent: (name) => `Angemeldet als ${name}`,
  states: {
    connecting: "Verbindet …",
    "catching-up": "Holt auf …",
    live: "Live",
    offline: "Offline",
    stopped: "Nicht verbunden",
  },
  connecting: "Die Unterhaltung wird verbunden …",
  loading: "Nachrichten werden geladen …",
  noConnection: "Nachrichten erscheinen hier, sobald eine Verbindung besteht.",
  empty: { title: "Keine neueren Nachrichten", hint: "Neue Nachrichten erscheinen hier, sobald sie eintreffen." },
  offline: {
    "no-network": "Dieses Gerät hat keine Netzverbindung.",
    unreachable: "Der Nachrichtendienst ist nicht erreichbar.",
    timeout: "Der Nachrichtendienst antwortet nicht.",
    "connection-lost": "Die Verbindung ist abgebrochen.",
    disconnected: "Der Nachrichtendienst hat die Verbindung beendet.",
    unavailable: "Der Nachrichtendienst ist zurzeit nicht verfügbar.",
    "too-many-connections": "Der Nachrichtendienst ist ausgelastet.",
  },
  nextTry: (seconds) => (seconds > 0 ? `Nächster Versuch in ${seconds} s` : "Neuer Versuch …"),
  reconnecting: "Verbindet erneut …",
  retry: "Jetzt versuchen",
  backOnline: "Wieder verbunden",
  gap: "Hier fehlen vielleicht ältere Nachrichten. Ihr Portal hat die ganze Unterhaltung.",
  dismiss: "Ausblenden",
  blockers: {
    "missing-conversation": {
      title: "Dieser Link ist unvollständig",
      advice: "Er nennt keine Unterhaltung. Öffnen Sie sie noch einmal in Ihrem Portal.",
    },
    "missing-token": {
      title: "Sie sind nicht angemeldet",
      advice: "Öffnen Sie die Unterhaltung noch einmal in Ihrem Portal, um sich anzumelden.",
    },
    "authentication-required": {
      title: "Sie sind nicht angemeldet",
      advice: "Öffnen Sie die Unterhaltung noch einmal in Ihrem Portal, um sich anzumelden.",
    },
    "invalid-token": {
      title: "Ihre Anmeldung wurde nicht angenommen",
      advice: "Öffnen Sie die Unterhaltung noch einmal in Ihrem Portal. Hilft das nicht, wenden Sie sich an Ihre Administration.",
    },
    "token-expired": {
      title: "Ihre Sitzung ist abgelaufen",
      advice: "Öffnen Sie die Unterhaltung noch einmal in Ihrem Portal. Bis dahin erscheinen keine neuen Nachrichten.",
    },
    "token-unavailable": {
      title: "Die Anmeldung hat nicht geklappt",
      advice: "Versuchen Sie es noch einmal, oder öffnen Sie die Unterhaltung neu in Ihrem Portal.",
    },
    "token-unusable": {
      title: "Die Anmeldung hat nicht geklappt",
      advice: "Ihr Portal hat etwas geantwortet, das keine Anmeldung ist. Öffnen Sie die Unterhaltung neu. Hilft das nicht, wenden Sie sich an Ihre Administration.",
    },
    forbidden: {
      title: "Sie haben keinen Zugriff auf diese Unterhaltung",
      advice: "Bitten Sie Ihre Administration um Zugriff, oder wählen Sie in Ihrem Portal eine andere Unterhaltung.",
    },
    "no-such-conversation": {
      title: "Diese Unterhaltung gibt es nicht",
      advice: "Vielleicht wurde sie entfernt oder verschoben. Öffnen Sie sie erneut aus Ihrem Portal.",
    },
    "invalid-conversation": {
      title: "Dieser Link ist fehlerhaft",
      advice: "Die genannte Unterhaltung kann es nicht geben. Öffnen Sie sie noch einmal in Ihrem Portal.",
    },
    "origin-not-allowed": {
      title: "Der Nachrichtendienst nimmt diese Seite nicht an",
      advice: "Wenden Sie sich an Ihre Administration: Er weiß nicht, dass er unter dieser Adresse erreichbar ist. Diese Einstellung des Nachrichtendienstes sagt es ihm:",
    },
    sandboxed: {
      title: "Der Rahmen im Portal lässt diese Seite nicht arbeiten",
      advice: "Wenden Sie sich an Ihre Administration: Die Sandbox des Rahmens ist zu streng. Er braucht mindestens:",
    },
  },
  tryAgain: "Noch einmal versuchen",
  newMessages: (count) => (count === 1 ? "1 neue Nachricht" : `${count} neue Nachrichten`),
  toLatest: "Zur neuesten Nachricht",
  unreadTitle: (count, title) => `(${count}) ${title}`,
  today: "Heute",
  yesterday: "Gestern",
  received: (from) => (from === undefined ? "Kunde:" : `${from}:`),
  sent: "Agent:",
  statuses: { sent: "Gesendet", delivered: "Zugestellt", read: "Gelesen", failed: "Nicht zugestellt" },
  sound: "Ton bei neuen Nachrichten",
  readMore: "Weiterlesen",
  enlarge: "Bild vergrößern",
  openOriginal: "Original öffnen",
  close: "Schließen",
  image: "Bild",
  audio: "Sprachnachricht oder Audio",
  video: "Video",
  file: "Datei",
  blockedMedia: "Ein Anhang, der nicht sicher geöffnet werden kann",
  unsupported: "Diese Art von Nachricht kann hier nicht gezeigt werden",
};

const ptBR: Strings = {
  lang: "pt-BR",
  conversation: "Conversa",
  messages: "Mensagens",
  agent: (name) => `Acompanhando como ${name}`,
  states: {
    connecting: "Conectando…",
    "catching-up": "Atualizando…",
    live: "Ao vivo",
    offline: "Offline",
    stopped: "Não conectado",
  },
  connecting: "Conectando à conversa…",
  loading: "Carregando mensagens…",
  noConnection: "As mensagens aparecem aqui assim que houver conexão.",
  empty: { title: "Nenhuma mensagem recente", hint: "Novas mensagens aparecem aqui assim que chegam." },
  offline: {
    "no-network": "Este dispositivo está sem conexão de rede.",
    unreachable: "O serviço de mensagens está inacessível.",
    timeout: "O serviço de mensagens não responde.",
    "connection-lost": "A conexão caiu.",
    disconnected: "O serviço de mensagens encerrou a conexão.",
    unavailable: "O serviço de mensagens está indisponível no momento.",
    "too-many-connections": "O serviço de mensagens está ocupado.",
  },
  nextTry: (seconds) => (seconds > 0 ? `Nova tentativa em ${seconds} s` : "Tentando de novo…"),
  reconnecting: "Reconectando…",
  retry: "Tentar agora",
  backOnline: "Conexão restabelecida",
  gap: "Podem faltar mensagens mais antigas aqui. O seu portal tem a conversa completa.",
  dismiss: "Dispensar",
  blockers: {
    "missing-conversation": {
      title: "Este link está incompleto",
      advice: "Ele não diz qual conversa mostrar. Abra a conversa de novo pelo seu portal.",
    },
    "missing-token": {
      title: "Você não está conectado",
      advice: "Abra a conversa de novo pelo seu portal para entrar.",
    },
    "authentication-required": {
      title: "Você não está conectado",
      advice: "Abra a conversa de novo pelo seu portal para entrar.",
    },
    "invalid-token": {
      title: "Seu acesso não foi aceito",
      advice: "Abra a conversa de novo pelo seu portal. Se não adiantar, avise o administrador.",
    },
    "token-expired": {
      title: "Sua sessão terminou",
      advice: "Abra a conversa de novo pelo seu portal para continuar. Até lá, novas mensagens não aparecem.",
    },
    "token-unavailable": {
      title: "Não foi possível entrar",
      advice: "Tente de novo ou abra a conversa outra vez pelo seu portal.",
    },
    "token-unusable": {
      title: "Não foi possível entrar",
      advice: "O seu portal respondeu algo que não é um acesso. Abra a conversa de novo. Se não adiantar, avise o administrador.",
    },
    forbidden: {
      title: "Você não tem acesso a esta conversa",
      advice: "Peça acesso ao administrador ou escolha outra conversa no seu portal.",
    },
    "no-such-conversation": {
      title: "Esta conversa não existe",
      advice: "Talvez tenha sido removida ou movida. Abra-a de novo no seu portal.",
    },
    "invalid-conversation": {
      title: "Este link está com defeito",
      advice: "A conversa indicada não pode existir. Abra a conversa de novo pelo seu portal.",
    },
    "origin-not-allowed": {
      title: "O serviço de mensagens não aceita esta página",
      advice: "Avise o administrador: o serviço não sabe que é acessado por este endereço. Esta configuração do serviço de mensagens resolve:",
    },
    sandboxed: {
      title: "O quadro do portal impede que esta página funcione",
      advice: "Avise o administrador: a sandbox do quadro é restrita demais. Ele precisa de, no mínimo:",
    },
  },
  tryAgain: "Tentar de novo",
  newMessages: (count) => (count === 1 ? "1 nova mensagem" : `${count} novas mensagens`),
  toLatest: "Ir para a mensagem mais recente",
  unreadTitle: (count, title) => `(${count}) ${title}`,
  today: "Hoje",
  yesterday: "Ontem",
  received: (from) => (from === undefined ? "Cliente:" : `${from}:`),
  sent: "Atendente:",
  statuses: { sent: "Enviada", delivered: "Entregue", read: "Lida", failed: "Não entregue" },
  sound: "Som para novas mensagens",
  readMore: "Ler mais",
  enlarge: "Ampliar imagem",
  openOriginal: "Abrir o original",
  close: "Fechar",
  image: "Imagem",
  audio: "Mensagem de voz ou áudio",
  video: "Vídeo",
  file: "Arquivo",
  blockedMedia: "Um anexo que não pode ser aberto com segurança",
  unsupported: "Este tipo de mensagem não pode ser mostrado aqui",
};

/** By language alone: an agent in Lisbon understands Brazil's better than English. */
const CATALOGUES: ReadonlyMap<string, Strings> = new Map([
  ["en", en],
  ["de", de],
  ["pt", ptBR],
]);

/** The strings for a language tag such as `en-GB`; English when there are none for it. */
export function stringsFor(tag: string | null): Strings {
  return CATALOGUES.get(tag?.split("-")[0]?.toLowerCase() ?? "") ?? en;
}
