/** What an agent meets in a thread: quotes and reactions, what is new, what may be missing, and what is older. */
import { at, earlier } from "./Stage.js";
import { BICYCLE } from "./pictures.js";

/** A busy thread with replies, reactions, an edit and a delete. */
export async function replies(scene) {
  const { media, widget } = scene;
  await scene.customer("10:02", { messageId: "gears", text: "The gears jump under load, mostly uphill in *third* and *fourth*" });
  await scene.customer("10:02", { messageId: "photo", type: "image", mediaUrl: media.drawing("bicycle", 330, 190, BICYCLE) });
  await scene.agent("10:05", "read", { messageId: "cassette", text: "That sounds like a worn cassette. We have it in stock.", replyTo: { messageId: "gears" } });
  await scene.customer("10:06", { messageId: "price", text: "Great! What does it cost, fitted?", replyTo: { messageId: "cassette" } });
  await scene.customer("10:06", { messageId: "wrong", text: "Sorry, wrong chat" });
  await scene.agent("10:08", "read", { messageId: "answer", text: "£48 with fitting, and it takes an hour: https://velo.example/workshop", replyTo: { messageId: "price" }, fromName: "Maya" });
  await scene.customer("10:09", { messageId: "day", text: "Thrusday at nine?" });
  await scene.customerDoes({ type: "edit", target: "day", text: "Thursday at nine?" });
  await scene.customerDoes({ type: "delete", target: "wrong" });
  await scene.customerDoes({ type: "reaction", target: "answer", emoji: "👍" });
  await scene.agentDoes({ type: "reaction", target: "photo", emoji: "😮" });
  await scene.agent("10:10", "delivered", { messageId: "done", text: "Thursday at nine it is.", replyTo: { messageId: "day" } });
  await scene.customerDoes({ type: "reaction", target: "done", emoji: "❤️" });
  for (const target of ["answer", "photo", "done"]) await widget.message(target).getByTestId("reactions").waitFor();
  await widget.message("wrong").getByText("This message was deleted").waitFor();
  await widget.message("day").getByText("Edited").waitFor();
  await widget.rests();
}

/** What came while the agent was reading further up, below its line. */
export async function unread(scene) {
  const { page, widget } = scene;
  for (let hour = 8; hour < 18; hour += 1) {
    const time = (minute) => earlier(1, `${String(hour).padStart(2, "0")}:${minute}`);
    await scene.customer(time("05"), `Is there a table for ${hour - 5} at ${hour}?`);
    await scene.agent(time("07"), "read", "There is. Under which name?");
  }
  await page.getByRole("log").focus();
  await page.keyboard.press("Home");
  await widget.sees("to-latest");
  for (const text of ["Good morning!", "We are four now, not three", "Is that all right?"]) await scene.customer("10:21", text);
  await scene.customer("10:22", "And may we bring the dog? 🐶");
  await (await widget.sees("pill")).click();
  await widget.sees("unread-line");
  await page.mouse.move(0, 0);
  await widget.rests();
}

/** More came while the connection was cut than the gateway keeps, and there is no history. */
export async function gap(scene) {
  const { network, widget } = scene;
  await scene.customer("09:31", "Hi! Has my parcel left your warehouse?");
  await scene.agent("09:33", "read", "It has, this morning. Do you want to follow it?");
  network.cut();
  await widget.sees("banner", { state: "offline" });
  for (let number = 1; number <= 3; number += 1) await scene.customerDoes({ text: `Missed ${number}`, timestamp: at("09:40") });
  await scene.customerDoes({ messageId: "link", text: "Thank you, that works now", timestamp: at("10:19") });
  await scene.customerDoes({ messageId: "last", text: "It says that it comes at noon", timestamp: at("10:20") });
  network.mend();
  await widget.sees("reset-notice");
  await widget.message("last").waitFor();
  await widget.misses("back-online");
  await widget.rests();
}

/** Older messages are on their way. */
export async function loading(scene) {
  const { history, page, place, widget } = scene;
  const lines = ["Is the workshop open on Saturday?", "Yes, from 9:00 to 16:00.", "And do you take e-bikes?", "We do. Bring the charger along, please."];
  const pages = Array.from({ length: 80 }, (_, index) => ({
    messageId: `old-${index}`,
    direction: index % 2 ? "out" : "in",
    type: "text",
    text: lines[index % lines.length],
    timestamp: earlier(3 - Math.floor(index / 40), `${String(8 + Math.floor((index % 40) / 5)).padStart(2, "0")}:${String(10 + (index % 5) * 7)}`),
    ...(index % 2 && { status: "read" }),
  }));
  history.add(place, ...pages);
  await page.reload();
  await widget.message("old-79").waitFor();
  history.hold();
  await page.getByRole("log").evaluate((log) => (log.scrollTop = 0));
  await widget.sees("history", { state: "loading" });
  await widget.rests();
}
