import { signal } from "@preact/signals";
import { expect, test } from "vitest";
import { LinkLost, type Request } from "../wire/link";
import { blank } from "../wire/picture";
import type { ServerMessage, Welcome } from "../wire/protocol";
import { Texts } from "./texts";

test("threads that were asked for without a link are asked for again when there is one, and then no more", async () => {
  const asked: Request["type"][] = [];
  let isUp = false;
  let hear: (message: ServerMessage) => void = () => undefined;
  const texts = new Texts({
    picture: signal(blank),
    follow: (listener) => {
      hear = listener;
    },
    ask: async (request) => {
      if (!isUp) throw new LinkLost();
      asked.push(request.type);
      return { type: "threads", id: "r", threads: [], more: false };
    },
  });
  await expect(texts.fetchThreads()).rejects.toThrow(LinkLost);
  isUp = true;
  for (let times = 0; times < 2; times++) {
    hear({ type: "welcome" } as Welcome);
    await Promise.resolve();
    await Promise.resolve();
  }
  expect(asked).toEqual(["thread_list"]);
});
