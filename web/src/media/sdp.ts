// What of an SDP the page settles itself: how its microphone is encoded. Pure text in, text out.

export type VoiceProfile = {
  /** Length of a voice frame in ms. */
  ptime: number;
  /** bit/s */
  bitrate: number;
};

export const DEFAULT_PROFILE: VoiceProfile = { ptime: 40, bitrate: 20_000 };

/** The same offer with RED as the first choice for what we send: an encoder takes the first that both sides know. */
export function doubled(sdp: string): string {
  const [head = "", ...lines] = sections(sdp);
  const [uplink = "", ...slots] = lines;
  const red = /^a=rtpmap:(\d+) red\/48000/im.exec(uplink)?.[1];
  if (!red) return sdp;
  const first = uplink.replace(/^(m=audio \S+ \S+)(( \d+)+)/, (_, before: string, types: string) => {
    const others = types
      .trim()
      .split(" ")
      .filter((type) => type !== red);
    return [before, red, ...others].join(" ");
  });
  return [head, first, ...slots].join("");
}

/**
 * Makes an encoder that obeys `sdp` send mono Opus at a constant bit rate (a variable one tells through the encryption what is
 * said, RFC 6562), in frames of `ptime`, without in-band FEC and DTX. What the server has settled already is left as it is.
 */
export function voiced(sdp: string, profile: VoiceProfile = DEFAULT_PROFILE): string {
  return sections(sdp)
    .map((section) => (section.startsWith("m=audio") ? voicedSection(section, profile) : section))
    .join("");
}

/** The frame length in ms that the uplink (the first `m=audio` line) of a server's offer asks for. */
export function uplinkPtime(sdp: string): number {
  const uplink = sections(sdp).find((section) => section.startsWith("m=audio")) ?? "";
  const found = /^a=ptime:(\d+)/m.exec(uplink)?.[1];
  return found ? Number(found) : DEFAULT_PROFILE.ptime;
}

/** The session that an offer belongs to (RFC 8866 §5.2): the same while a path is only moved, another for a new path. */
export function sessionOf(sdp: string): string {
  return /^o=\S+ (\S+)/m.exec(sdp)?.[1] ?? "";
}

function sections(sdp: string): string[] {
  return sdp.split(/(?=^m=)/m);
}

function voicedSection(section: string, profile: VoiceProfile): string {
  const opus = /^a=rtpmap:(\d+) opus\/48000/im.exec(section)?.[1];
  if (!opus) return section;
  const wanted: Record<string, string> = {
    cbr: "1",
    maxaveragebitrate: String(profile.bitrate),
    stereo: "0",
    useinbandfec: "0",
    usedtx: "0",
  };
  const line = new RegExp(`^a=fmtp:${opus} (.*)$`, "m");
  const found = line.exec(section);
  const settled = new Map((found?.[1] ?? "").split(";").filter(Boolean).map(pair));
  for (const [name, value] of Object.entries(wanted)) if (!settled.has(name)) settled.set(name, value);
  const fmtp = `a=fmtp:${opus} ${[...settled].map(([name, value]) => `${name}=${value}`).join(";")}`;
  const tuned = found
    ? section.replace(line, fmtp)
    : section.replace(new RegExp(`^(a=rtpmap:${opus} .*)$`, "m"), `$1\r\n${fmtp}`);
  return /^a=ptime:/m.test(tuned) ? tuned : `${tuned.replace(/\r?\n$/, "")}\r\na=ptime:${profile.ptime}\r\n`;
}

function pair(text: string): [string, string] {
  const [name = "", value = ""] = text.trim().split("=");
  return [name, value];
}
