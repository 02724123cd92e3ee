// Broadcasts and how far each came: counts live, who has not got it, and the report of all in the end.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Problem } from "../../account/api";
import { refusalWords, t } from "../../i18n";
import { briefWords } from "../../i18n/moments";
import { type ReceiptRow, type Report, report, type State } from "../../leader/api";
import type { Command } from "../../leader/command";
import { tableOf } from "../../leader/table";
import { save } from "../../ui/csv";
import type { BroadcastInfo, BroadcastTally } from "../../wire/protocol";

const SETTLE_MS = 400;
const ORDER: readonly (State | "waiting")[] = [
  "waiting",
  "missed",
  "sent",
  "delivered",
  "heard",
  "acknowledged",
];

export function Sent({ command }: { command: Command }) {
  const { tallies } = command.phone.affairs.value;
  const me = command.phone.picture.value.user?.id;
  const mine = command.broadcasts.value.filter(({ by, id }) => by.id === me || tallies[id]);
  return (
    <ul class="tallies">
      {mine.map((info) => (
        <One key={info.id} command={command} info={info} tally={tallies[info.id] ?? null} />
      ))}
    </ul>
  );
}

type OneProps = { command: Command; info: BroadcastInfo; tally: BroadcastTally | null };

function One({ command, info, tally }: OneProps) {
  const open = useSignal(false);
  const state = tally?.state ?? info.state ?? "over";
  const live = state === "running" || state === "over";
  return (
    <li data-state={state}>
      <p class="of">
        {info.exercise && <em>{t("exercise")}</em>}
        <strong>{info.text || t(info.kind === "live" ? "broadcast_was" : "broadcast_recorded")}</strong>
        <time>{briefWords(info.at_ms)}</time>
        <span class="state">{t(`leader_state_${state}`)}</span>
      </p>
      {tally && (
        <>
          <Bar tally={tally} />
          <p class="counts">
            {t("leader_tally", {
              delivered: tally.delivered + tally.heard + tally.acknowledged,
              heard: tally.heard,
              acknowledged: tally.acknowledged,
              people: tally.people,
            })}
          </p>
        </>
      )}
      <div class="acts">
        <button
          type="button"
          aria-expanded={open.value}
          onClick={() => {
            open.value = !open.value;
          }}
        >
          {t("leader_report")}
        </button>
        {state === "running" && (
          <button type="button" onClick={() => void command.endBroadcast(info.id, false)}>
            {t("leader_end_broadcast")}
          </button>
        )}
        {live && tally && (
          <button type="button" onClick={() => void command.endBroadcast(info.id, true)}>
            {t("leader_withdraw")}
          </button>
        )}
      </div>
      {open.value && <ReportOf id={info.id} tally={tally} />}
    </li>
  );
}

function Bar({ tally }: { tally: BroadcastTally }) {
  const parts = [...ORDER].reverse().map((name) => [name, tally[name]] as const);
  return (
    <div class="receipts" aria-hidden="true">
      {parts.map(([name, count]) => (
        <span key={name} data-receipt={name} style={{ flexGrow: count }} />
      ))}
    </div>
  );
}

/** Each person, those who have not got it first; follows while it is under way. */
function ReportOf({ id, tally }: { id: string; tally: BroadcastTally | null }) {
  const found = useSignal<Report | null>(null);
  const problem = useSignal("");
  useEffect(() => {
    const look = () =>
      void report(id).then(
        (made) => {
          found.value = made;
          problem.value = "";
        },
        (why: unknown) => {
          problem.value = refusalWords(why instanceof Problem ? why.code : "unreachable");
        },
      );
    const timer = window.setTimeout(look, found.peek() ? SETTLE_MS : 0);
    return () => clearTimeout(timer);
  }, [id, tally, found, problem]);
  const made = found.value;
  if (!made) return <p class="hint">{problem.value || t("loading")}</p>;
  const rows = [...made.receipts].sort((a, b) => rank(a) - rank(b));
  const missing = rows.filter(({ state }) => state === null || state === "sent" || state === "missed").length;
  return (
    <div class="report">
      <p class="hint">{t("leader_who_not", { count: missing })}</p>
      <table>
        <tbody>
          {rows.map((row) => (
            <tr key={row.person.id} data-receipt={row.state ?? "waiting"}>
              <td>{row.person.name}</td>
              <td class="badge">{row.person.badge}</td>
              <td>{t(`receipt_${row.state ?? "waiting"}`)}</td>
              <td>{clock(latest(row))}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <button type="button" onClick={() => keep({ ...made, receipts: rows })}>
        {t("leader_save_report")}
      </button>
    </div>
  );
}

function rank({ state }: ReceiptRow): number {
  return ORDER.indexOf(state ?? "waiting");
}

function latest({ sent_ms, delivered_ms, heard_ms, acknowledged_ms }: ReceiptRow): number | null {
  return acknowledged_ms ?? heard_ms ?? delivered_ms ?? sent_ms;
}

function clock(at: number | null): string {
  return at === null ? "" : briefWords(at, { seconds: true });
}

function keep(made: Report): void {
  save(new Blob([tableOf(made)], { type: "text/csv" }), `${made.broadcast.id}.csv`);
}
