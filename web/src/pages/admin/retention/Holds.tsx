// What stays whatever the rules say, until somebody releases it and tells why.

import { useSignal } from "@preact/signals";
import { t } from "../../../i18n";
import { momentWords } from "../../../i18n/moments";
import type { Key } from "../../../i18n/zh";
import { Moment } from "../../../ui/Moment";
import { type Ask, KINDS, type Kind, named, Reason, type Target, TargetField, whenWhom } from "./kept";

export type Hold = {
  id: string;
  kind: Kind;
  target: string;
  target_name: string;
  from_ms: number | null;
  until_ms: number | null;
  reason: string;
  begun_by_name: string;
  begun_ms: number;
};

const HELD: readonly Kind[] = ["group", "incident", "user", "recording"];

export function HoldCard({ hold, ask }: { hold: Hold; ask: Ask }) {
  const why = useSignal<string | null>(null);
  const { from_ms, until_ms } = hold;
  return (
    <>
      <h3>{named(hold)}</h3>
      <p>
        {t(KINDS[hold.kind])}
        {(from_ms !== null || until_ms !== null) && (
          <>
            {" · "}
            {t("keep_span", {
              from: from_ms === null ? "…" : momentWords(from_ms),
              until: until_ms === null ? "…" : momentWords(until_ms),
            })}
          </>
        )}
      </p>
      <p>{hold.reason}</p>
      <p class="soft">{whenWhom(hold.begun_ms, hold.begun_by_name)}</p>
      {why.value === null ? (
        <div class="row">
          <button
            type="button"
            onClick={() => {
              why.value = "";
            }}
          >
            {t("keep_release")}
          </button>
        </div>
      ) : (
        <form
          class="fields"
          onSubmit={(event) => {
            event.preventDefault();
            void ask("POST", `/retention/holds/${hold.id}/release`, { reason: why.value?.trim() });
          }}
        >
          <Reason value={why.value} set={(to) => (why.value = to)} words="keep_release_why" />
          <div class="row">
            <button type="submit" class="red" disabled={!why.value.trim()}>
              {t("keep_release")}
            </button>
            <button
              type="button"
              onClick={() => {
                why.value = null;
              }}
            >
              {t("admin_back")}
            </button>
          </div>
        </form>
      )}
    </>
  );
}

export function NewHold({ ask }: { ask: Ask }) {
  const target = useSignal<Target>({ kind: "incident", found: null });
  const reason = useSignal("");
  const from = useSignal("");
  const until = useSignal("");
  const ms = (moment: string) => (moment ? new Date(moment).getTime() : null);
  const submit = async () => {
    const { kind, found } = target.value;
    if (found === null) return;
    const span = { from_ms: ms(from.value), until_ms: ms(until.value) };
    const hold = { kind, target: found.id, reason: reason.value.trim(), ...span };
    if (!(await ask("POST", "/retention/holds", hold))) return; // what was entered stays, to be put right
    target.value = { kind, found: null };
    reason.value = from.value = until.value = "";
  };
  const moment = (name: "from" | "until", words: Key) => {
    const held = name === "from" ? from : until;
    return (
      <label>
        {t(words)}
        <Moment name={name} value={held.value} set={(value) => (held.value = value)} />
      </label>
    );
  };
  return (
    <details>
      <summary>{t("keep_new_hold")}</summary>
      <form
        class="fields"
        onSubmit={(event) => {
          event.preventDefault();
          void submit();
        }}
      >
        <p class="hint">{t("keep_hold_hint")}</p>
        <TargetField
          id="hold-target"
          kinds={HELD}
          value={target.value}
          set={(to) => {
            target.value = to;
          }}
        />
        {moment("from", "keep_said_from")}
        {moment("until", "keep_said_until")}
        <Reason value={reason.value} set={(to) => (reason.value = to)} words="keep_why" />
        <div class="row">
          <button
            type="submit"
            class="primary"
            disabled={target.value.found === null || !reason.value.trim()}
          >
            {t("keep_hold")}
          </button>
        </div>
      </form>
    </details>
  );
}
