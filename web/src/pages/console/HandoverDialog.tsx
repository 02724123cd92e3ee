// Shift handover (交接班): what is open goes to the next dispatcher, with a note; he takes it over or does not.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Problem } from "../../account/api";
import { authorised } from "../../account/authorised";
import type { ConsoleDesk } from "../../console/desk";
import { waiting } from "../../console/dispatch";
import { refusalWords, t } from "../../i18n";
import { present } from "../../people/presence";
import type { HandoverInfo, Person, Role } from "../../wire/protocol";
import { Modal } from "./Modal";

const TAKERS: readonly Role[] = ["dispatcher", "shift_leader"];

export function HandoverDialog({ desk }: { desk: ConsoleDesk }) {
  return (
    <Modal desk={desk} dialog="handover" title={t("handover_title")}>
      <Handing desk={desk} />
    </Modal>
  );
}

function Handing({ desk }: { desk: ConsoleDesk }) {
  const me = desk.phone.picture.value.user;
  const { toMe, mine } = waiting(desk.dispatch.value, me?.id);
  const done = Object.values(desk.dispatch.value.handovers).filter(({ state }) => state !== "offered");
  return (
    <>
      {toMe && <Taking desk={desk} handover={toMe} />}
      {mine ? (
        <section class="handover" data-state="offered">
          <p>
            <strong>{t("handover_waits", { name: mine.to.name })}</strong>
          </p>
          <Contents handover={mine} />
          <p class="acts">
            <button type="button" onClick={() => desk.ask({ type: "handover_withdraw", handover: mine.id })}>
              {t("handover_withdraw")}
            </button>
          </p>
        </section>
      ) : (
        <Offer desk={desk} />
      )}
      {done.map((one) => (
        <p key={one.id} class="hint">
          {t(`handover_${one.state as "accepted" | "refused" | "withdrawn"}`, {
            by: one.by.name,
            to: one.to.name,
          })}
        </p>
      ))}
    </>
  );
}

/** The offer that waits for my answer: in the dialog, and as a strip on the page until it is answered. */
export function Taking({ desk, handover }: { desk: ConsoleDesk; handover: HandoverInfo }) {
  const answer = (accept: boolean) => () =>
    desk.ask({ type: "handover_answer", handover: handover.id, accept });
  return (
    <section class="handover" data-state="to_me" role="alert">
      <p>
        <strong>{t("handover_offered", { name: handover.by.name })}</strong>
      </p>
      <Contents handover={handover} />
      <p class="acts">
        <button type="button" class="primary" onClick={answer(true)}>
          {t("handover_accept")}
        </button>
        <button type="button" onClick={answer(false)}>
          {t("refuse")}
        </button>
      </p>
    </section>
  );
}

function Contents({ handover }: { handover: HandoverInfo }) {
  const names = (all: readonly { name: string }[]) => all.map(({ name }) => name).join("、") || "–";
  return (
    <dl class="contents">
      {handover.note && (
        <div>
          <dt>{t("handover_note")}</dt>
          <dd>{handover.note}</dd>
        </div>
      )}
      <div>
        <dt>{t("handover_alerts")}</dt>
        <dd>{names(handover.alerts.map(({ by }) => by))}</dd>
      </div>
      <div>
        <dt>{t("handover_monitored")}</dt>
        <dd>{handover.scope === "all" ? t("monitor_all") : names(handover.monitored)}</dd>
      </div>
      <div>
        <dt>{t("handover_listens")}</dt>
        <dd>{names(handover.listens)}</dd>
      </div>
      <div>
        <dt>{t("handover_patches")}</dt>
        <dd>
          {names(handover.patches.map(({ groups }) => ({ name: groups.map(({ name }) => name).join("+") })))}
        </dd>
      </div>
    </dl>
  );
}

function Offer({ desk }: { desk: ConsoleDesk }) {
  const me = desk.phone.picture.value.user?.id;
  const people = useSignal<readonly Person[]>([]);
  const to = useSignal("");
  const problem = useSignal("");
  const note = useSignal("");
  useEffect(() => {
    const of = (role: Role) => authorised<{ items: Person[] }>("GET", `/people?limit=100&role=${role}`);
    void Promise.all(TAKERS.map(of)).then(
      (pages) => (people.value = pages.flatMap(({ items }) => items)),
      (why: unknown) => {
        problem.value = refusalWords(why instanceof Problem ? why.code : "unreachable");
      },
    );
  }, [people, problem]);
  return (
    <form
      class="handover"
      onSubmit={(event) => {
        event.preventDefault();
        if (to.value) desk.ask({ type: "handover_offer", to: to.value, note: note.value.trim() });
      }}
    >
      <p class="hint">{t("handover_hint")}</p>
      {problem.value && <p class="problem">{problem.value}</p>}
      <label>
        {t("handover_to")}
        <select value={to.value} onChange={(event) => (to.value = event.currentTarget.value)}>
          <option value="">{t("handover_choose")}</option>
          {people.value
            .filter(({ id }) => id !== me)
            .map(({ id, name, badge }) => (
              <option key={id} value={id}>
                {name} {badge} {present.value.get(id)?.online ? `· ${t("people_online")}` : ""}
              </option>
            ))}
        </select>
      </label>
      <label>
        {t("handover_note")}
        <textarea
          rows={3}
          maxLength={1000}
          value={note.value}
          onInput={(event) => (note.value = event.currentTarget.value)}
        />
      </label>
      <p class="acts">
        <button type="submit" class="primary" disabled={!to.value}>
          {t("handover_offer")}
        </button>
      </p>
    </form>
  );
}
