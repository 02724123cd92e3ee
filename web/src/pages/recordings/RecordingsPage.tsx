// What was said: searched by everything that is known, drawn as timelines, heard in one go, exported as evidence.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { current } from "../../account/account";
import { Problem } from "../../account/api";
import { authorised } from "../../account/authorised";
import { refusalWords, t } from "../../i18n";
import type { Recording } from "../../recordings/recordings";
import { anything, exported, NotExported, nameable, search, type Wanted } from "../../recordings/search";
import { conversations } from "../../recordings/timeline";
import { Moment } from "../../ui/Moment";
import { TopBar } from "../../ui/TopBar";
import { Choice } from "./Choice";
import type { Named } from "./labels";
import { Photos } from "./Photos";
import { Strip } from "./Strip";
import { Together } from "./Together";

export function RecordingsPage() {
  const user = current();
  const wanted = useSignal<Wanted>(fromLink());
  const found = useSignal<readonly Recording[]>([]);
  const next = useSignal<string | null>(null);
  const sought = useSignal({ turn: 0, wanted: wanted.peek() });
  const word = useSignal("");
  const mine = useSignal<readonly Named[]>([]);
  const rights = useSignal<readonly string[]>([]);
  const look = async (after: string | null = null) => {
    if (!after) sought.value = { turn: sought.peek().turn + 1, wanted: wanted.peek() };
    word.value = t("loading");
    try {
      const page = await search(wanted.peek(), after);
      found.value = after ? [...found.peek(), ...page.recordings] : page.recordings;
      next.value = page.next;
      const limited = Object.values(wanted.peek()).some(Boolean);
      word.value = found.value.length ? "" : t(limited ? "archive_nothing" : "no_recordings");
    } catch (problem) {
      word.value = wordsOf(problem);
    }
  };
  useEffect(() => {
    void look();
    void authorised<{ groups: Named[]; rights: string[] }>("GET", "/me").then(
      (me) => {
        mine.value = me.groups;
        rights.value = me.rights;
      },
      () => undefined,
    );
  }, []);
  const groups = [
    ...mine.value,
    ...found.value.map(({ group, group_name }) => ({ id: group, name: group_name })),
  ];
  return (
    <div class="archive">
      <TopBar name={`${t("recordings")} · ${user?.name ?? ""}`} badge={user?.badge} />
      <search>
        <form
          onSubmit={(event) => {
            event.preventDefault();
            void look();
          }}
        >
          <Fields
            wanted={wanted.value}
            groups={groups}
            people={found.value.map(({ talker }) => ({ id: talker.id ?? "", name: talker.name }))}
            changed={(field) => {
              wanted.value = { ...wanted.peek(), ...field };
            }}
          />
          <div class="do">
            <button type="submit" class="primary">
              {t("archive_search")}
            </button>
            {rights.value.includes("export") && (
              <ExportKey wanted={wanted.value} failed={(problem) => (word.value = wordsOf(problem))} />
            )}
          </div>
        </form>
      </search>
      <p class="word" role="status">
        {word.value}
      </p>
      <main>
        {sought.value.turn > 0 && (
          <Photos
            key={sought.value.turn}
            wanted={sought.value.wanted}
            names={new Map(groups.map(({ id, name }) => [id, name]))}
            failed={(problem) => (word.value = wordsOf(problem))}
          />
        )}
        <Together found={found.value} />
        {conversations(found.value).map((one) => (
          <Strip key={`${one.group}/${one.from}`} one={one} />
        ))}
        {next.value && (
          <button type="button" onClick={() => void look(next.value)}>
            {t("admin_more")}
          </button>
        )}
      </main>
    </div>
  );
}

function Fields(props: {
  wanted: Wanted;
  groups: readonly Named[];
  people: readonly Named[];
  changed: (field: Partial<Wanted>) => void;
}) {
  const { wanted, changed } = props;
  const input = (field: keyof Wanted, more: { inputMode?: "decimal"; placeholder?: string } = {}) => (
    <label>
      <span>{t(`archive_${field}`)}</span>
      <input
        name={field}
        value={wanted[field]}
        onInput={(event) => changed({ [field]: event.currentTarget.value })}
        {...more}
      />
    </label>
  );
  const moment = (field: "from" | "until") => (
    <label>
      <span>{t(`archive_${field}`)}</span>
      <Moment name={field} value={wanted[field]} set={(value) => changed({ [field]: value })} />
    </label>
  );
  const choice = (field: keyof Wanted, of: readonly Named[]) => (
    <label>
      <span>{t(`archive_${field}`)}</span>
      <select
        name={field}
        value={wanted[field]}
        onChange={(event) => changed({ [field]: event.currentTarget.value })}
      >
        <option value="">{t("archive_any")}</option>
        {of.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
  return (
    <>
      <div class="fields">
        <Choice
          field="group"
          value={wanted.group}
          near={props.groups}
          changed={(group) => changed({ group })}
        />
        <Choice field="user" value={wanted.user} near={props.people} changed={(user) => changed({ user })} />
        {input("incident")}
      </div>
      <details open={matchMedia("(min-width: 900px)").matches}>
        <summary>{t("archive_more")}</summary>
        <div class="fields">
          {moment("from")}
          {moment("until")}
          {choice("tier", [
            { id: "1", name: t("archive_tier_1") },
            { id: "2", name: t("archive_tier_2") },
          ])}
          {input("shortest", { inputMode: "decimal" })}
          {input("longest", { inputMode: "decimal" })}
          {input("area", { placeholder: "121.4,31.1,121.6,31.3" })}
        </div>
      </details>
    </>
  );
}

function ExportKey({ wanted, failed }: { wanted: Wanted; failed: (problem: unknown) => void }) {
  const making = useSignal(false);
  const make = async () => {
    if (!nameable(wanted)) return failed(new Error(t("archive_export_what")));
    making.value = true;
    try {
      const link = document.createElement("a");
      link.href = await exported(wanted, wanted.incident || t("recordings"));
      link.download = `${wanted.incident || "recordings"}.zip`;
      link.click();
      URL.revokeObjectURL(link.href);
    } catch (problem) {
      failed(problem);
    } finally {
      making.value = false;
    }
  };
  return (
    <button type="button" disabled={making.value} onClick={() => void make()}>
      {t(making.value ? "archive_exporting" : "archive_export")}
    </button>
  );
}

/** `?incident=…` and its like, as a console or a case system links here. */
function fromLink(): Wanted {
  const given = new URLSearchParams(location.search);
  const known = Object.keys(anything).map((name) => [name, given.get(name) ?? ""]);
  return Object.fromEntries(known) as Wanted;
}

function wordsOf(problem: unknown): string {
  if (problem instanceof Problem) return refusalWords(problem.code);
  if (problem instanceof NotExported) return t(`archive_export_${problem.why}`);
  return problem instanceof Error ? problem.message : String(problem);
}
