// What a person asked for by a touch of his own: where it fails, the page says why for a while. Nothing he pressed stays without an answer.

import { signal } from "@preact/signals";
import { Problem } from "../account/api";
import { type Request, RequestRefused } from "../wire/link";
import type { Refusal, ServerMessage } from "../wire/protocol";
import type { Phone } from "./phone";

const SHOWN_MS = 8_000;

/** Why the last request came to nothing. */
export const refusal = signal<Refusal | "unreachable" | null>(null);
let forget = 0;

/** The answer of the server; null where it refused or was not there, which the page then says. */
export async function asked(phone: Pick<Phone, "ask">, request: Request): Promise<ServerMessage | null> {
  try {
    const answer = await phone.ask(request);
    refusal.value = null;
    return answer;
  } catch (problem) {
    failed(problem);
    return null;
  }
}

/** The page says for a while why what was asked for came to nothing. */
export function failed(problem: unknown): void {
  refusal.value =
    problem instanceof RequestRefused || problem instanceof Problem ? problem.code : "unreachable";
  clearTimeout(forget);
  forget = window.setTimeout(() => {
    refusal.value = null;
  }, SHOWN_MS);
}
