// Photos and notes from the field that are found by what was searched for, beside what was said.

import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { t } from "../../i18n";
import { type Material, materialsBy } from "../../materials/materials";
import { SentOne } from "../../materials/SentOne";
import { askedOfPhotos, type Wanted } from "../../recordings/search";

type PhotosProps = {
  /** What was searched for when this was mounted. */
  wanted: Wanted;
  names: ReadonlyMap<string, string>;
  failed: (problem: unknown) => void;
};

export function Photos({ wanted, names, failed }: PhotosProps) {
  const found = useSignal<readonly Material[]>([]);
  const next = useSignal<string | null>(null);
  const look = async (after: string | null) => {
    const asked = askedOfPhotos(wanted);
    if (asked === null) return;
    try {
      const page = await materialsBy(asked, after);
      found.value = [...found.peek(), ...page.materials];
      next.value = page.next;
    } catch (problem) {
      failed(problem);
    }
  };
  useEffect(() => void look(null), []);
  if (found.value.length === 0) return null;
  return (
    <details class="photos">
      <summary>
        {t("archive_photos")} · {found.value.length}
        {next.value && "+"}
      </summary>
      <ul class="sent">
        {found.value.map((one) => (
          <SentOne key={one.id} one={one} where={names.get(one.group)} />
        ))}
      </ul>
      {next.value && (
        <button type="button" onClick={() => void look(next.value)}>
          {t("admin_more")}
        </button>
      )}
    </details>
  );
}
