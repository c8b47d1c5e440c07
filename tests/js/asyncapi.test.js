/** amqp/asyncapi.yaml, as AsyncAPI's own parser reads it. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { test } from "node:test";
import { Parser } from "@asyncapi/parser";

const TEXT = readFileSync(resolve(import.meta.dirname, "../../amqp/asyncapi.yaml"), "utf8");

/** Its severities: what is wrong (0), and what is doubtful (1). Below are opinions, such as that there is a newer version. */
const DOUBTFUL = 1;

async function faults(text) {
  const { document, diagnostics } = await new Parser().parse(text);
  const faults = diagnostics.filter(({ severity }) => severity <= DOUBTFUL);
  return { document, faults: faults.map(({ code, message, path }) => `${path.join(".")}: ${message} (${code})`) };
}

test("the document is valid, and has the messages", async () => {
  const { document, faults: found } = await faults(TEXT);
  assert.deepEqual(found, []);
  const messages = document.allMessages().all();
  for (const name of ["inbound_message", "status_update", "joined", "reset", "token_expiring"])
    assert.ok(messages.some((message) => message.name() === name), name);
});

test("what is wrong in it would be found", async () => {
  for (const [right, wrong] of [
    ["$ref: '#/components/schemas/traceparent'", "$ref: '#/components/schemas/nothing'"],
    ["    action: receive", "    action: sometimes"],
    ["    address: inbound_message.{tenantId}.{conversationId}", "    address: 7"],
  ]) {
    assert.ok(TEXT.includes(right), right);
    assert.notDeepEqual((await faults(TEXT.replace(right, wrong))).faults, [], wrong);
  }
});
