// How the bridge to case systems does: receivers, what they never took, and news that could not be read.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Problem } from "../../account/api";
import { authorised } from "../../account/authorised";
import { MAX_DEAD_LETTERS_LISTED, MAX_REFUSED_NEWS } from "../../generated/limits.json";
import { refusalWords, t } from "../../i18n";
import { momentWords } from "../../i18n/moments";
import type { Key } from "../../i18n/zh";
import "./bridge.css";

type Receiver = {
  id: string;
  url: string;
  failing_since_ms: number | null;
  stopped: boolean;
  waiting: number;
  dead: number;
};
type DeadLetter = {
  incident: string;
  id: string;
  type: string;
  at_ms: number;
  attempts: number;
  last_error: string;
};
type Poll = { id: string; url: string; failures: number; last_error: string };
type RefusedNews = {
  id: string;
  sender: string;
  at_ms: number;
  incident: string;
  faults: string[];
  body: string;
};

const AGAIN_MS = 5000;
const PAGE = 50;

export function BridgeDesk() {
  const receivers = useSignal<readonly Receiver[]>([]);
  const letters = useSignal<readonly (DeadLetter & { receiver: string })[]>([]);
  const refused = useSignal<readonly RefusedNews[]>([]);
  const polls = useSignal<readonly Poll[]>([]);
  const problem = useSignal("");
  /** How many of each list are asked for. */
  const asked = useSignal({ letters: PAGE, refused: PAGE });
  const read = async () => {
    try {
      receivers.value = await authorised<Receiver[]>("GET", "/bridge/receivers");
      const dead = receivers.value.filter((each) => each.dead > 0);
      const found = await Promise.all(
        dead.map(async ({ id }) =>
          (await deadLetters(id, asked.peek().letters)).map((letter) => ({ ...letter, receiver: id })),
        ),
      );
      letters.value = found.flat();
      polls.value = await authorised<Poll[]>("GET", "/bridge/polls");
      refused.value = await authorised<RefusedNews[]>(
        "GET",
        `/bridge/refused?limit=${Math.min(asked.peek().refused, MAX_REFUSED_NEWS)}`,
      );
      problem.value = "";
    } catch (why) {
      problem.value = refusalWords(why instanceof Problem ? why.code : "unreachable");
    }
  };
  useEffect(() => {
    void read();
    const timer = setInterval(() => void read(), AGAIN_MS);
    return () => clearInterval(timer);
  }, []);
  const act = async (id: string, what: "start" | "replay") => {
    try {
      await authorised("POST", `/bridge/receivers/${id}/${what}`);
    } catch (why) {
      problem.value = refusalWords(why instanceof Problem ? why.code : "unreachable");
      return;
    }
    await read();
  };
  const more = (list: "letters" | "refused") => {
    asked.value = { ...asked.value, [list]: 2 * asked.value[list] };
    void read();
  };
  const dead = receivers.value.reduce((sum, each) => sum + each.dead, 0);
  return (
    <div class="bridge-desk">
      {problem.value && <p class="problem">{problem.value}</p>}
      <h2>{t("bridge_receivers")}</h2>
      {receivers.value.length === 0 && <p class="none">{t("bridge_no_receivers")}</p>}
      <ul class="receivers">
        {receivers.value.map((each) => (
          <li key={each.id} data-receiver={each.id} data-state={stateOf(each)}>
            <b>{each.id}</b>
            <span class="soft">{each.url}</span>
            <span class="state">{stateWords(each)}</span>
            <span>{t("bridge_waiting", { count: each.waiting })}</span>
            <span>{t("bridge_dead", { count: each.dead })}</span>
            <span class="acts">
              {stateOf(each) !== "well" && (
                <button type="button" onClick={() => void act(each.id, "start")}>
                  {t("bridge_start")}
                </button>
              )}
              {each.dead > 0 && (
                <button type="button" class="primary" onClick={() => void act(each.id, "replay")}>
                  {t("bridge_replay")}
                </button>
              )}
            </span>
          </li>
        ))}
      </ul>
      {polls.value.length > 0 && <h2>{t("bridge_polls")}</h2>}
      <ul class="receivers">
        {polls.value.map((each) => (
          <li key={each.id} data-poll={each.id} data-state={each.failures ? "failing" : "well"}>
            <b>{each.id}</b>
            <span class="soft">{each.url}</span>
            <span class="state">
              {each.failures ? t("bridge_unread", { count: each.failures }) : t("bridge_well")}
            </span>
            {each.failures > 0 && <span class="soft">{each.last_error}</span>}
          </li>
        ))}
      </ul>
      <h2>{t("bridge_dead_letters")}</h2>
      {letters.value.length === 0 && <p class="none">{t("bridge_all_well")}</p>}
      <ul class="letters">
        {letters.value.map((each) => (
          <li key={`${each.receiver}/${each.id}`}>
            <time>{momentWords(each.at_ms)}</time>
            <b>{each.incident}</b>
            <span>
              {t(`case_event_${each.type.replaceAll(".", "_")}` as Key)} → {each.receiver}
            </span>
            <span class="soft">
              {t("bridge_attempts", { count: each.attempts })} · {each.last_error}
            </span>
          </li>
        ))}
      </ul>
      {letters.value.length < dead && (
        <p class="row">
          <button type="button" onClick={() => more("letters")}>
            {t("admin_more")}
          </button>
          <span class="soft">{t("admin_shown", { shown: letters.value.length, total: dead })}</span>
        </p>
      )}
      <h2>{t("bridge_refused")}</h2>
      {refused.value.length === 0 && <p class="none">{t("bridge_all_well")}</p>}
      <ul class="letters">
        {refused.value.map((each) => (
          <li key={each.id}>
            <time>{momentWords(each.at_ms)}</time>
            <b>{each.incident || "?"}</b>
            <span>{each.sender}</span>
            <span class="soft">{each.faults.join("; ")}</span>
            {each.body && (
              <details>
                <summary>{t("bridge_body")}</summary>
                <pre>{each.body}</pre>
              </details>
            )}
          </li>
        ))}
      </ul>
      {refused.value.length === asked.value.refused && asked.value.refused < MAX_REFUSED_NEWS && (
        <p class="row">
          <button type="button" onClick={() => more("refused")}>
            {t("admin_more")}
          </button>
        </p>
      )}
      {refused.value.length === MAX_REFUSED_NEWS && (
        <p class="soft">{t("bridge_refused_kept", { count: MAX_REFUSED_NEWS })}</p>
      )}
    </div>
  );
}

/** The oldest of what a receiver never took, page by page. */
async function deadLetters(receiver: string, most: number): Promise<DeadLetter[]> {
  const found: DeadLetter[] = [];
  for (;;) {
    const query = new URLSearchParams({
      limit: String(Math.min(most - found.length, MAX_DEAD_LETTERS_LISTED)),
      after: found.at(-1)?.id ?? "",
    });
    const page = await authorised<DeadLetter[]>("GET", `/bridge/receivers/${receiver}/dead-letters?${query}`);
    found.push(...page);
    if (page.length === 0 || found.length >= most) return found;
  }
}

function stateOf(each: Receiver): "well" | "failing" | "stopped" {
  if (each.stopped) return "stopped";
  return each.failing_since_ms === null ? "well" : "failing";
}

function stateWords(each: Receiver): string {
  const state = stateOf(each);
  return state === "failing"
    ? t("bridge_failing", { since: momentWords(each.failing_since_ms ?? 0) })
    : t(`bridge_${state}`);
}
