// What a group has sent from the field, for those who may see it.

import { freshToken } from "../account/account";
import { authorised } from "../account/authorised";

export type Material = {
  id: string;
  kind: "photo" | "note";
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

/** A link to the picture with its watermark, for this page. Rejects when it is not to be had. */
export async function pictureOf(id: string): Promise<string> {
  const response = await fetch(`/api/v1/materials/${encodeURIComponent(id)}/watermarked`, {
    headers: { authorization: `Bearer ${await freshToken()}` },
  });
  if (!response.ok) throw new Error(String(response.status));
  return URL.createObjectURL(await response.blob());
}
