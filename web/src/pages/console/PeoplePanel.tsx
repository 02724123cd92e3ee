import type { ConsoleDesk } from "../../console/desk";
import { People } from "../../phone/view/People";

export function PeoplePanel({ desk }: { desk: ConsoleDesk }) {
  return <People phone={desk.phone} />;
}
