import type { ConsoleDesk } from "../../console/desk";
import { present } from "../../people/presence";
import { nameOf, ThreadList } from "../../texts/ThreadList";
import { ThreadView } from "../../texts/ThreadView";
import { empty, keyOf, type Where } from "../../texts/threads";

export function MessagesPanel({ desk }: { desk: ConsoleDesk }) {
  const { phone, texts } = desk;
  const where = desk.thread.value;
  if (!where) return <ThreadList phone={phone} texts={texts} onOpen={(to) => desk.write(to)} />;
  return (
    <ThreadView
      key={keyOf(where)}
      phone={phone}
      texts={texts}
      where={where}
      name={named(desk, where)}
      onBack={() => {
        desk.thread.value = null;
      }}
    />
  );
}

function named(desk: ConsoleDesk, where: Where): string {
  const known = nameOf(desk.phone, desk.texts.threads.value[keyOf(where)] ?? empty(where));
  if (known || "group" in where) return known;
  return present.value.get(where.user)?.name ?? desk.personName.value;
}
