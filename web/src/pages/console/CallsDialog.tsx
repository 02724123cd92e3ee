// The calls that go on in one's reach, in them or not: ended for all (强拆), or people pulled into them (强拉).

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import type { ConsoleDesk } from "../../console/desk";
import { known, refusalWords, t } from "../../i18n";
import { Twice } from "../../ui/Twice";
import { RequestRefused } from "../../wire/link";
import type { Call } from "../../wire/protocol";
import { Modal } from "./Modal";

/** Nobody tells of calls one is not in: they are asked for while they are looked at. */
const AGAIN_MS = 2000;

export function CallsDialog({ desk }: { desk: ConsoleDesk }) {
  return (
    <Modal desk={desk} dialog="calls" title={t("calls_title")}>
      <List desk={desk} />
    </Modal>
  );
}

function List({ desk }: { desk: ConsoleDesk }) {
  const calls = useSignal<readonly Call[] | null>(null);
  const more = useSignal(false);
  const problem = useSignal("");
  const asked = useSignal(0);
  useEffect(() => {
    let gone = false;
    const ask = () =>
      desk.phone.ask({ type: "call_list" }).then(
        (answer) => {
          if (gone || answer.type !== "calls") return;
          calls.value = answer.calls;
          more.value = answer.more ?? false;
          problem.value = "";
        },
        (why: unknown) => {
          // An old list would be taken for how it is now.
          if (!gone) calls.value = null;
          problem.value = refusalWords(why instanceof RequestRefused ? why.code : "unreachable");
        },
      );
    void ask();
    const timer = setInterval(ask, AGAIN_MS);
    return () => {
      gone = true;
      clearInterval(timer);
    };
  }, [desk, calls, more, problem, asked.value]);
  if (calls.value === null) return <p class="hint">{problem.value || t("calls_asking")}</p>;
  if (calls.value.length === 0) return <p class="hint">{t("calls_none")}</p>;
  const again = () => {
    asked.value++;
  };
  return (
    <>
      <p class="hint">{t("calls_hint")}</p>
      <ul class="calls">
        {calls.value.map((call) => (
          <Row key={call.call} desk={desk} call={call} done={again} />
        ))}
      </ul>
      {more.value && <p class="hint">{t("calls_more", { count: calls.value.length })}</p>}
    </>
  );
}

function Row({ desk, call, done }: { desk: ConsoleDesk; call: Call; done: () => void }) {
  const picked = desk.picked.value.size;
  const named = call.parties.map(({ person }) => person.name).join("、");
  const others = (call.people ?? 0) - call.parties.length;
  return (
    <li data-call={call.call}>
      <span class="what">
        <strong>{call.name || call.by.name}</strong>
        <span class="flag">{known(`call_kind_${call.kind}`, "console_in_call")}</span>
        <span class="soft">
          {named}
          {others > 0 && ` +${others}`} ·{" "}
          {t("calls_present", { present: call.present ?? 0, people: call.people ?? 0 })}
        </span>
      </span>
      {call.kind === "group" && picked > 0 && desk.may("pull_in") && (
        <button type="button" onClick={() => desk.pullPickedInto(call.call, done)}>
          {t("calls_pull_in", { count: picked })}
        </button>
      )}
      <Twice
        class="danger"
        title={t("console_force_end")}
        question={t("console_force_end_sure")}
        about={call.name || call.by.name}
        run={() => desk.ask({ type: "call_end", call: call.call }, done)}
      />
    </li>
  );
}
