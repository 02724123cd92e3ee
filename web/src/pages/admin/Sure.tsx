// A button that asks once more before it does what cannot be taken back.

import { useSignal } from "@preact/signals";
import { t } from "../../i18n";
import { useOwnPress } from "../../ui/press";

type SureProps = {
  title: string;
  /** What is asked the second time; the plain words of what is done where there is nothing more to say. */
  question?: string;
  run: () => Promise<unknown>;
};

export function Sure({ title, question, run }: SureProps) {
  const sure = useSignal(false);
  const busy = useSignal(false);
  const isOwn = useOwnPress();
  if (!sure.value)
    return (
      <button
        type="button"
        onClick={(event) => {
          isOwn(event);
          sure.value = true;
        }}
      >
        {title}
      </button>
    );
  return (
    <span class="sure">
      <button
        type="button"
        class="red"
        disabled={busy.value}
        onClick={(event) => {
          if (!isOwn(event)) return; // the second half of a double click on what stood here before
          busy.value = true;
          void run().finally(() => {
            busy.value = false;
            sure.value = false;
          });
        }}
      >
        {question ?? t("admin_sure", { what: title })}
      </button>
      <button
        type="button"
        onClick={() => {
          sure.value = false;
        }}
      >
        {t("admin_back")}
      </button>
    </span>
  );
}
