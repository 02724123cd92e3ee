// What was said in several groups at one time, heard as it was said: whoever answered whom, in whichever group.

import { t } from "../../i18n";
import { clockWords } from "../../i18n/moments";
import { player, type Recording, soundOf } from "../../recordings/recordings";
import { together } from "../../recordings/timeline";
import { Unheard } from "../../recordings/Unheard";
import { Icon } from "../../ui/icons";

const BY = "together";

export function Together({ found }: { found: readonly Recording[] }) {
  if (new Set(found.map(({ group }) => group)).size < 2) return null;
  const playing = player.by.value === BY;
  const now = playing ? found.find(({ id }) => id === player.playing.value) : undefined;
  const press = () => (playing ? player.stop() : void player.play(together(found).map(soundOf), { by: BY }));
  return (
    <div class="together">
      <button type="button" aria-pressed={playing} onClick={press}>
        {playing ? <Icon.stop /> : <Icon.again />}
        {t(playing ? "missed_stop" : "archive_together")}
      </button>
      {now && (
        <span class="now">
          <strong>{now.talker.name}</strong> {now.group_name} · {clockWords(now.started_ms, true)}
        </span>
      )}
      <Unheard of={BY} />
    </div>
  );
}
