import { expect, test, vi } from "vitest";
import { type Link, RequestUnanswered } from "../wire/link";
import { Mending } from "./mending";

function mending() {
  const link = {
    request: vi.fn(() => Promise.reject(new RequestUnanswered())),
    suspect: vi.fn(),
    probe: vi.fn(),
  };
  return { link, mending: new Mending(link as unknown as Link, () => true) };
}

test("a restart without an answer because voice stays away is no dead link yet: a ping tells", async () => {
  const { link, mending: mends } = mending();
  mends.restart("no_packets");
  await vi.waitFor(() => expect(link.probe).toHaveBeenCalledOnce());
  expect(link.suspect).not.toHaveBeenCalled();
});

test("any other restart without an answer is a dead link", async () => {
  const { link, mending: mends } = mending();
  mends.restart("disconnected");
  await vi.waitFor(() => expect(link.suspect).toHaveBeenCalledOnce());
  expect(link.probe).not.toHaveBeenCalled();
});
