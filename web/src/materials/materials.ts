// What a group has sent from the field, for those who may see it.

import { freshToken } from "../account/account";
import { authorised } from "../account/authorised";

export type Material = {
  id: string;
  kind: "photo" | "note";
  group: string;
  user_name: string;
  note: string;
  origin: "camera" | "gallery" | "none";
  taken_ms: number;
  /** Added to `taken_ms` it is the server's time. */
  clock_offset_ms: number;
};

const LISTED = 12;

/** The newest first. Rejects with `Problem`. */
export async function sentIn(group: string): Promise<readonly Material[]> {
  const query = new URLSearchParams({ group, limit: String(LISTED) });
  return (await authorised<{ materials: Material[] }>("GET", `/materials?${query}`)).materials;
}

const PAGE = 50;
export type MaterialsPage = { materials: Material[]; next: string | null };

/** Those that are `asked` for as the server has it, newest first; `after` is the `next` of the page before. Rejects with `Problem`. */
export function materialsBy(
  asked: Record<string, string | number>,
  after: string | null,
): Promise<MaterialsPage> {
  const query = new URLSearchParams({ limit: String(PAGE) });
  for (const [name, value] of Object.entries(asked)) query.set(name, String(value));
  if (after) query.set("after", after);
  return authorised<MaterialsPage>("GET", `/materials?${query}`);
}

/** A link to the picture with its watermark, for this page. Rejects when it is not to be had. */
export async function pictureOf(id: string): Promise<string> {
  const response = await fetch(`/api/v1/materials/${encodeURIComponent(id)}/watermarked`, {
    headers: { authorization: `Bearer ${await freshToken()}` },
  });
  if (!response.ok) throw new Error(String(response.status));
  return URL.createObjectURL(await response.blob());
}
