import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { LINK_LIMITS, Link } from "./link";
import type { ClientMessage } from "./protocol";

const sockets: FakeSocket[] = [];

/** A browser's socket as far as the link uses it: what was sent, and a way to answer. */
class FakeSocket {
  static readonly OPEN = 1;
  readonly readyState = FakeSocket.OPEN;
  readonly sent: ClientMessage[] = [];
  onopen: () => void = () => undefined;
  onmessage: (event: { data: string }) => void = () => undefined;
  onclose: (event: { code: number }) => void = () => undefined;

  constructor(readonly url: URL) {
    sockets.push(this);
  }

  send(text: string): void {
    this.sent.push(JSON.parse(text) as ClientMessage);
  }

  close(): void {}

  says(message: object): void {
    this.onmessage({ data: JSON.stringify(message) });
  }
}

async function connected(): Promise<{ link: Link; socket: FakeSocket }> {
  const link = new Link(
    {
      token: () => Promise.resolve("token"),
      welcomed: () => undefined,
      received: () => undefined,
      beat: () => ({ type: "listening", state: "yes" }),
      changed: () => undefined,
      dismissed: () => undefined,
    },
    { language: "en", slots: 2, group: () => "east gate" },
  );
  link.open();
  await vi.advanceTimersByTimeAsync(0);
  const socket = sockets.at(-1) as FakeSocket;
  socket.onopen();
  socket.says({ type: "welcome", id: "r1", resume: "k", resumed: false });
  socket.sent.length = 0;
  return { link, socket };
}

const request: ClientMessage & { id: string } = { type: "floor_request", id: "floor-1", group: "g" };

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", FakeSocket);
  vi.stubGlobal("location", { href: "https://city.example/talk?x=1" });
  vi.stubGlobal("window", globalThis);
  vi.stubGlobal("__VERSION__", "test");
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

describe("what a person waits for", () => {
  it("is followed by small messages, so that its loss is noticed after one round trip", async () => {
    const { link, socket } = await connected();
    expect(link.urge(request)).toBe(true);
    expect(socket.sent).toEqual([request]);
    await vi.advanceTimersByTimeAsync(100);
    expect(socket.sent).toEqual([
      request,
      ...LINK_LIMITS.followMs.map(() => ({ type: "listening", state: "yes" })),
    ]);
    link.close();
  });

  it("needs none once it is answered", async () => {
    const { link, socket } = await connected();
    link.urge(request);
    socket.says({ type: "floor_granted", id: "floor-1", group: "g", burst: 1, duration_ms: 30_000 });
    await vi.advanceTimersByTimeAsync(100);
    expect(socket.sent).toEqual([request]);
    link.close();
  });

  it("is not followed on a link that is gone", async () => {
    const { link, socket } = await connected();
    link.urge(request);
    link.close();
    await vi.advanceTimersByTimeAsync(100);
    expect(socket.sent).toEqual([request]);
    expect(link.urge(request)).toBe(false);
  });
});

describe("where it is served", () => {
  it("is asked for by its group, and once by none when its voice path does not come up", async () => {
    const { link, socket } = await connected();
    expect(socket.url.href).toBe("wss://city.example/ws?group=east+gate");
    const again = async () => {
      link.lost();
      link.hurry();
      await vi.advanceTimersByTimeAsync(0);
      return sockets.at(-1)?.url.search;
    };
    link.forget();
    expect([await again(), await again()]).toEqual(["?here=1", "?group=east+gate"]);
    link.close();
  });
});
