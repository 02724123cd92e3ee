// Administration: lists, and a panel for what is edited. The server decides what is allowed; the page offers what may be.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { current } from "../../account/account";
import { t } from "../../i18n";
import { BridgeDesk } from "../../incidents/bridge/BridgeDesk";
import { TopBar } from "../../ui/TopBar";
import { Audit } from "./audit";
import { CellPanel } from "./cells";
import { DevicePanel } from "./devices";
import { Duty, ShiftPanel } from "./duty";
import { GroupPanel } from "./groups";
import { Leaving, leave } from "./Leaving";
import { LISTS, type List } from "./lists";
import { may, open, wordsOf } from "./office";
import { type EditorProps, PersonPanel } from "./people";
import { Retention } from "./retention/Retention";
import { Sheets } from "./Sheets";
import { Sharing } from "./sharing";
import { Table } from "./Table";
import { UnitPanel, UnitTree } from "./units";

/** `id` null: something new, in a tree `below` another. */
type Opened = { list: string; id: string | null; below: string | null };

const keyOf = ({ list, id, below }: Opened) => `${list}/${id}/${below}`;

export function AdminPage() {
  const user = current();
  const chosen = useSignal("people");
  const opened = useSignal<Opened | null>(null);
  const turn = useSignal(0);
  const word = useSignal("");
  useEffect(() => {
    void open().catch((problem) => {
      word.value = wordsOf(problem);
    });
  }, [word]);
  const offered = LISTS.filter((list) => may(...list.rights));
  const list = offered.find(({ name }) => name === chosen.value) ?? offered[0];
  const show = (id: string | null, below: string | null = null) => {
    if (!list) return;
    const next = { list: list.name, id, below };
    if (opened.value && keyOf(opened.value) === keyOf(next)) return;
    leave(() => {
      opened.value = next;
    });
  };
  const saved = (made?: string) => {
    turn.value += 1;
    if (made && opened.value) opened.value = { ...opened.value, id: made };
  };
  const close = () => {
    opened.value = null;
  };
  const panel = opened.value;
  return (
    <div class="admin" data-panel={panel !== null}>
      <TopBar name={`${t("admin")} · ${user?.name ?? ""}`} badge={user?.badge} />
      <nav aria-label={t("admin")}>
        {offered.map(({ name, title }) => (
          <button
            key={name}
            type="button"
            data-list={name}
            aria-current={list?.name === name}
            onClick={({ currentTarget }) =>
              leave(() => {
                chosen.value = name;
                close();
                currentTarget.scrollIntoView({ block: "nearest", inline: "center" });
              })
            }
          >
            {t(title)}
          </button>
        ))}
      </nav>
      <div class="desk">
        <main>
          {word.value && <p class="problem">{word.value}</p>}
          {list && <Body key={list.name} list={list} turn={turn} show={show} />}
        </main>
        {panel && <Editor key={keyOf(panel)} {...panel} close={close} saved={saved} />}
      </div>
      <Leaving />
    </div>
  );
}

type BodyProps = {
  list: List;
  turn: Parameters<typeof Table>[0]["turn"];
  show: (id: string | null, below?: string | null) => void;
};

function Editor({ list, id, below, close, saved }: Opened & Omit<EditorProps, "id">) {
  switch (list) {
    case "people":
      return <PersonPanel id={id} close={close} saved={saved} />;
    case "groups":
      return <GroupPanel id={id} close={close} saved={saved} />;
    case "units":
      return <UnitPanel id={id} parent={below} close={close} saved={saved} />;
    case "duty":
      return <ShiftPanel id={id} close={close} saved={saved} />;
    case "devices":
      return <DevicePanel id={id} close={close} saved={saved} />;
    case "cells":
      return <CellPanel id={id} close={close} saved={saved} />;
    default:
      return null;
  }
}

function Body({ list, turn, show }: BodyProps) {
  switch (list.name) {
    case "units":
      return (
        <>
          <div class="tools">
            <button type="button" class="primary new" onClick={() => show(null)}>
              {t("admin_new_unit")}
            </button>
          </div>
          <UnitTree open={show} below={(parent) => show(null, parent)} />
        </>
      );
    case "duty":
      return <Duty turn={turn.value} open={show} />;
    case "sharing":
      return <Sharing />;
    case "retention":
      return <Retention />;
    case "audit":
      return <Audit />;
    case "sheets":
      return <Sheets />;
    case "bridge":
      return <BridgeDesk />;
    default:
      return <Table list={list} turn={turn} open={show} />;
  }
}
