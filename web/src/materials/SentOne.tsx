// One photo or note that was sent; its picture is fetched when it is tapped, with its watermark.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { Problem } from "../account/api";
import { refusalWords, t } from "../i18n";
import { momentWords } from "../i18n/moments";
import { Icon } from "../ui/icons";
import { type Material, pictureOf } from "./materials";
import "./materials.css";

/** `where`: the name of its group, where several are listed. */
export function SentOne({ one, where }: { one: Material; where?: string | undefined }) {
  const picture = useSignal<string | null>(null);
  const problem = useSignal("");
  const words = (
    <span>
      <strong>{one.user_name}</strong> {momentWords(one.taken_ms + one.clock_offset_ms)}
      {where && ` · ${where}`}
      {one.origin === "gallery" && ` · ${t("evidence_gallery")}`}
      {one.note && <q>{one.note}</q>}
    </span>
  );
  useEffect(() => () => URL.revokeObjectURL(picture.peek() ?? ""), [picture]);
  if (one.kind === "note") return <li>{words}</li>;
  const show = async () => {
    try {
      picture.value ??= await pictureOf(one.id);
      problem.value = "";
    } catch (why) {
      problem.value = refusalWords(why instanceof Problem ? why.code : "unreachable");
    }
  };
  return (
    <li>
      <button type="button" aria-expanded={picture.value !== null} onClick={() => void show()}>
        <Icon.camera />
        {words}
      </button>
      {problem.value && <span role="alert">{problem.value}</span>}
      {picture.value && <img src={picture.value} alt={one.note || one.user_name} />}
    </li>
  );
}
