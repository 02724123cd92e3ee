import { beforeEach, expect, test, vi } from "vitest";
import { RequestRefused } from "../wire/link";
import type { GroupSnapshot, Monitoring, Welcome } from "../wire/protocol";
import { againOf, type Monitor, Monitored, restoredMonitor } from "./monitored";

const snapshot = { id: "east", name: "东城" } as GroupSnapshot;
const told = (scope: Monitoring["scope"], groups: GroupSnapshot[] = [snapshot]): Monitoring => ({
  type: "monitoring",
  scope,
  hidden: true,
  groups,
});

test("what is monitored is asked for again as it was: a list by its groups, any other scope by its name", () => {
  expect(againOf(told("listed"))).toEqual({
    type: "monitor",
    scope: "listed",
    hidden: true,
    groups: ["east"],
  });
  expect(againOf(told("all"))).toEqual({ type: "monitor", scope: "all", hidden: true, groups: [] });
  expect(againOf(told("own"))?.groups).toEqual([]);
});

test("nothing is asked for again where nothing was monitored", () => {
  expect(againOf(told("none"))).toBeNull();
  expect(againOf(told("listed", []))).toBeNull();
});

test("what was kept is taken up as it was written, and anything else is nothing", () => {
  const written = JSON.parse(JSON.stringify(againOf(told("listed"))));
  expect(restoredMonitor(written)).toEqual(againOf(told("listed")));
  for (const odd of [null, 3, "all", {}, { scope: "none" }, { scope: "listed", groups: [7] }, []])
    expect(restoredMonitor(odd)).toBeNull();
});

const welcome = (user: string, resumed: boolean) =>
  ({ type: "welcome", user: { id: user, name: "何建军" }, resumed }) as Welcome;

beforeEach(() => {
  const kept = new Map<string, string>();
  vi.stubGlobal("sessionStorage", {
    getItem: (name: string) => kept.get(name) ?? null,
    setItem: (name: string, text: string) => kept.set(name, text),
  });
});

test("after a socket that was lost for longer than its place was kept, the same is monitored again", () => {
  const asked: Monitor[] = [];
  const opened = () =>
    new Monitored(
      async (request) => asked.push(request),
      () => expect.unreachable(),
    );
  const page = opened();
  page.told(welcome("me", false));
  expect(asked).toEqual([]);
  page.told(told("listed"));
  page.told(welcome("me", false));
  expect(asked).toEqual([againOf(told("listed"))]);
  opened().told(welcome("me", false));
  expect(asked, "and by a page that was loaded anew").toHaveLength(2);
  opened().told(welcome("another", false));
  expect(asked, "but not for another one at the same desk").toHaveLength(2);
  page.told(told("none"));
  page.told(welcome("me", false));
  expect(asked, "nor what he ended himself").toHaveLength(2);
});

test("what may not be monitored any more is said once; what had no answer is asked for again", async () => {
  const answers = [new Error("no answer"), new RequestRefused("not_allowed", "")];
  const lost: unknown[] = [];
  const asked: Monitor[] = [];
  const page = new Monitored(
    async (request) => {
      asked.push(request);
      throw answers.shift();
    },
    (problem) => lost.push(problem),
  );
  page.told(welcome("me", false));
  page.told(told("all"));
  for (const times of [1, 2, 2]) {
    page.told(welcome("me", true));
    await vi.waitFor(() => expect([asked.length, lost.length]).toEqual([times, times - 1]));
  }
  expect(lost).toEqual([new RequestRefused("not_allowed", "")]);
});

test("of a list of which a group is gone the others are monitored, also beyond the first page of the city", async () => {
  const city = Array.from({ length: 201 }, (_, n) => ({ id: `g${n}`, name: `${n}` }));
  vi.stubGlobal("localStorage", { getItem: () => null });
  vi.stubGlobal("fetch", async (url: string) => {
    const from = Number(new URL(url, "http://localhost").searchParams.get("after"));
    const next = from + 200 < city.length ? String(from + 200) : null;
    return new Response(JSON.stringify({ items: city.slice(from, from + 200), next }));
  });
  const asked: (string[] | undefined)[] = [];
  const page = new Monitored(
    async ({ groups }) => {
      asked.push(groups);
      if (groups?.includes("gone")) throw new RequestRefused("unknown_group", "");
    },
    () => expect.unreachable(),
  );
  page.told(welcome("me", false));
  const listed = ["gone", "g0", "g200"].map((id) => ({ ...snapshot, id }));
  page.told(told("listed", listed));
  page.told(welcome("me", false));
  await vi.waitFor(() =>
    expect(asked).toEqual([
      ["gone", "g0", "g200"],
      ["g0", "g200"],
    ]),
  );
});
