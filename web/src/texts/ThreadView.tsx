// One thread: what was written, a line to write on, the status words as keys.

import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { filled, refusalWords, statusWords, t } from "../i18n";
import { briefWords } from "../i18n/moments";
import { asked } from "../phone/asked";
import type { Phone } from "../phone/phone";
import { Icon } from "../ui/icons";
import { RequestRefused } from "../wire/link";
import type { TextInfo } from "../wire/protocol";
import type { Texts, Written } from "./texts";
import { keyOf, type Thread, type Where } from "./threads";
import "./texts.css";

export type Status = NonNullable<TextInfo["status"]>;
/** The words a person on the street needs most; all others can be written. */
export const STATUSES: readonly Status[] = [
  "on_the_way",
  "on_scene",
  "handling",
  "done",
  "need_support",
  "unable",
];
const LONGEST = 1000;

type ThreadViewProps = { phone: Phone; texts: Texts; where: Where; name: string; onBack: () => void };

export function ThreadView({ phone, texts, where, name, onBack }: ThreadViewProps) {
  const key = keyOf(where);
  const thread = texts.threads.value[key];
  const problem = useSignal("");
  const word = useSignal("");
  /** A line is under way: another press is the same press. */
  const sending = useSignal(false);
  /** So are these: the second touch of a finger in haste is no second status. */
  const underWay = useRef(new Set<string>());
  const end = useRef<HTMLLIElement>(null);
  const last = thread?.last?.number;
  useEffect(() => {
    texts.seen(where);
    end.current?.scrollIntoView({ block: "end" });
  }, [texts, key, last, thread?.messages.length]);
  const fetch = () =>
    texts.fetch(where).then(
      () => (problem.value = ""),
      (why: unknown) => (problem.value = wordsOf(why)),
    );
  useEffect(() => void fetch(), [texts, key]);
  const send = async (written: Written): Promise<boolean> => {
    try {
      await texts.send(where, written);
      problem.value = "";
      return true;
    } catch (found) {
      problem.value = found instanceof RequestRefused ? wordsOf(found) : t("text_not_sent");
      return false;
    }
  };
  const sendLine = async () => {
    const line = word.value;
    const text = line.trim();
    if (!text || sending.value) return;
    sending.value = true;
    const kept = await send({ kind: "text", text });
    // What was typed meanwhile stays.
    if (kept && word.value === line) word.value = "";
    sending.value = false;
  };
  const sendStatus = async (status: (typeof STATUSES)[number]) => {
    if (underWay.current.has(status)) return;
    underWay.current.add(status);
    await send({ kind: "status", status });
    underWay.current.delete(status);
  };
  return (
    <section class="thread" aria-label={name}>
      <header>
        <button type="button" class="quiet" onClick={onBack} aria-label={t("text_back")}>
          <Icon.back />
        </button>
        <strong>{name}</strong>
      </header>
      <Said
        phone={phone}
        thread={thread}
        onOlder={() => void fetch()}
        end={end}
        failed={problem.value !== ""}
      />
      {problem.value && (
        <p class="problem" role="alert">
          {problem.value}
        </p>
      )}
      <div class="statuses">
        {STATUSES.map((status) => (
          <button key={status} type="button" onClick={() => void sendStatus(status)}>
            {statusWords(status)}
          </button>
        ))}
      </div>
      <form
        onSubmit={(event) => {
          event.preventDefault();
          void sendLine();
        }}
      >
        <input
          type="text"
          maxLength={LONGEST}
          placeholder={t("text_write")}
          aria-label={t("text_write")}
          value={word.value}
          onInput={(event) => (word.value = event.currentTarget.value)}
        />
        <button type="submit" class="primary" disabled={!word.value.trim() || sending.value}>
          {t("text_send")}
        </button>
      </form>
    </section>
  );
}

type SaidProps = {
  phone: Phone;
  thread: Thread | undefined;
  onOlder: () => void;
  end: preact.RefObject<HTMLLIElement | null>;
  failed: boolean;
};

function Said({ phone, thread, onOlder, end, failed }: SaidProps) {
  const me = phone.picture.value.user?.id;
  const messages = thread?.messages ?? [];
  const isLooking = messages.length === 0 && thread?.more !== false;
  return (
    <ol class="said-list">
      {thread?.more && messages.length > 0 && (
        <li class="older">
          <button type="button" class="quiet" onClick={onOlder}>
            {t("text_older")}
          </button>
        </li>
      )}
      {isLooking && !failed && <li class="none">{t("loading")}</li>}
      {thread && !thread.more && messages.length === 0 && <li class="none">{t("text_none")}</li>}
      {messages.map((one) => (
        <li key={one.id} data-mine={one.by.id === me} data-kind={one.kind}>
          <span class="by">
            {one.by.id === me ? t("me") : one.by.name} <time>{briefWords(one.at_ms)}</time>
          </span>
          <span class="body">{bodyOf(one)}</span>
          {one.kind === "callback" && one.by.id !== me && (
            <button
              type="button"
              class="primary"
              onClick={() =>
                void asked(phone, {
                  type: "call_start",
                  kind: "private",
                  users: [one.by.id],
                  answering: "automatic",
                })
              }
            >
              <Icon.call /> {t("text_call_back_now")}
            </button>
          )}
        </li>
      ))}
      <li ref={end} class="end" aria-hidden="true" />
    </ol>
  );
}

function wordsOf(problem: unknown): string {
  return refusalWords(problem instanceof RequestRefused ? problem.code : "unreachable");
}

/** What a message says in one line. */
export function bodyOf(one: TextInfo): string {
  if (one.kind === "callback") return filled(t("text_wants_call"), { name: one.by.name });
  if (one.kind === "status" && one.status)
    return [statusWords(one.status), one.text].filter(Boolean).join("：");
  return one.text;
}
