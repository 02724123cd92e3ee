// What is monitored: nothing, my own groups, those in a list, all my right reaches; seen by the groups, or hidden.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Problem } from "../../account/api";
import type { ConsoleDesk } from "../../console/desk";
import type { Named } from "../../console/gathering";
import { everyGroup } from "../../console/groups";
import { MAX_MONITORED } from "../../generated/limits.json";
import { refusalWords, t } from "../../i18n";
import type { Monitoring } from "../../wire/protocol";
import { Modal } from "./Modal";

type Scope = Monitoring["scope"];
const SCOPES: readonly Scope[] = ["none", "own", "listed", "all"];

export function MonitorDialog({ desk }: { desk: ConsoleDesk }) {
  return (
    <Modal desk={desk} dialog="monitor" title={t("monitor_title")}>
      <Choice desk={desk} />
    </Modal>
  );
}

function Choice({ desk }: { desk: ConsoleDesk }) {
  const now = desk.dispatch.value.monitoring;
  const scope = useSignal<Scope>(now?.scope ?? "none");
  const hidden = useSignal(now?.hidden ?? false);
  const chosen = useSignal<ReadonlySet<string>>(new Set(now?.groups.map(({ id }) => id)));
  const groups = useSignal<readonly Named[]>([]);
  const problem = useSignal("");
  useEffect(() => {
    void everyGroup().then(
      (found) => (groups.value = found),
      (why: unknown) => {
        problem.value = refusalWords(why instanceof Problem ? why.code : "unreachable");
      },
    );
  }, [groups, problem]);
  const apply = () => {
    const listed = scope.value === "listed" ? [...chosen.value] : [];
    desk.ask({ type: "monitor", scope: scope.value, groups: listed, hidden: hidden.value }, () => {
      desk.dialog.value = null;
    });
  };
  const tooMany = scope.value === "listed" && chosen.value.size > MAX_MONITORED;
  const leftOut = scope.value === now?.scope ? (now?.left_out ?? 0) : 0;
  const toggle = (group: string) => {
    const next = new Set(chosen.value);
    if (!next.delete(group)) next.add(group);
    chosen.value = next;
  };
  return (
    <form
      class="monitor"
      onSubmit={(event) => {
        event.preventDefault();
        apply();
      }}
    >
      <p class="hint">{t("monitor_hint")}</p>
      {problem.value && <p class="problem">{problem.value}</p>}
      <fieldset>
        {SCOPES.map((one) => (
          <label key={one}>
            <input
              type="radio"
              name="scope"
              checked={scope.value === one}
              onChange={() => (scope.value = one)}
            />
            {t(`monitor_${one}`)}
          </label>
        ))}
      </fieldset>
      {scope.value === "listed" && (
        <ul class="choices">
          {groups.value.map(({ id, name }) => (
            <li key={id}>
              <label>
                <input type="checkbox" checked={chosen.value.has(id)} onChange={() => toggle(id)} />
                {name}
              </label>
            </li>
          ))}
        </ul>
      )}
      {desk.phone.picture.value.rights.includes("monitor_hidden") && (
        <label>
          <input type="checkbox" checked={hidden.value} onChange={() => (hidden.value = !hidden.value)} />
          {t("monitor_hidden")}
        </label>
      )}
      {(tooMany || leftOut > 0) && (
        <p class="problem" role="alert">
          {refusalWords("too_many")}
          {" · "}
          {tooMany
            ? t("monitor_most", { count: MAX_MONITORED })
            : t("monitor_first", { count: MAX_MONITORED, left_out: leftOut })}
        </p>
      )}
      <p class="acts">
        <button type="submit" class="primary" disabled={tooMany}>
          {t("monitor_apply")}
        </button>
      </p>
    </form>
  );
}
