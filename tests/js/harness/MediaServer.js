import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

/** Samples a second, and seconds, of the voice message. */
const RATE = 8000;
const LENGTH = 30;

/** A video of a second. */
const FLICKER = new URL("../../../static/src/playground/media/flicker.webm", import.meta.url);

/** Where the customers' media are: a web server on an origin of its own. */
export class MediaServer {
  #server;
  #files = new Map([
    ["/voice.wav", { type: "audio/wav", content: tone() }],
    ["/flicker.webm", { type: "video/webm", content: readFileSync(FLICKER) }],
  ]);

  static async start(t) {
    const media = new MediaServer();
    media.#server = createServer(({ url }, response) => {
      const file = media.#files.get(url);
      if (!file) return response.writeHead(404).end();
      response.writeHead(200, { "content-type": file.type, "content-length": file.content.length }).end(file.content);
    });
    media.#server.listen(0, "127.0.0.1");
    await once(media.#server, "listening");
    t.after(() => {
      media.#server.closeAllConnections();
      media.#server.close();
    });
    return media;
  }

  get url() {
    return `http://127.0.0.1:${this.#server.address().port}`;
  }

  get host() {
    return new URL(this.url).host;
  }

  /** A voice message, half a minute of one low note. */
  get voice() {
    return `${this.url}/voice.wav`;
  }

  /** A video without sound. */
  get video() {
    return `${this.url}/flicker.webm`;
  }

  /** A drawing of this size, or with this content, under a name; answers its address. */
  drawing(name, width, height, content = `<rect width="${width}" height="${height}" fill="#0b6b57"/>`) {
    const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${content}</svg>`;
    this.#files.set(`/${name}.svg`, { type: "image/svg+xml", content: Buffer.from(svg) });
    return `${this.url}/${name}.svg`;
  }
}

/** A WAV file of one channel and eight bits. */
function tone() {
  const header = Buffer.alloc(44);
  const size = RATE * LENGTH;
  header.write("RIFF", 0);
  header.writeUInt32LE(36 + size, 4);
  header.write("WAVEfmt ", 8);
  header.writeUInt32LE(16, 16);
  header.writeUInt16LE(1, 20);
  header.writeUInt16LE(1, 22);
  header.writeUInt32LE(RATE, 24);
  header.writeUInt32LE(RATE, 28);
  header.writeUInt16LE(1, 32);
  header.writeUInt16LE(8, 34);
  header.write("data", 36);
  header.writeUInt32LE(size, 40);
  const samples = Buffer.alloc(size);
  for (let index = 0; index < size; index += 1) samples[index] = 128 + Math.round(20 * Math.sin((index * 2 * Math.PI * 220) / RATE));
  return Buffer.concat([header, samples]);
}
