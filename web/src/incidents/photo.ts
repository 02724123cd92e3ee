// A photo on its way: made smaller on the phone, for a photo of 6 MB on bad 4G arrives after the incident is over.

import { freshToken } from "../account/account";

/** The longer side of what is sent, in pixels. */
export const LONGEST_SIDE = 1600;
const QUALITY = 0.8;

/** Sends a photo for an incident. Rejects when the server did not take it. */
export async function sendPhoto(incident: string, photo: Blob): Promise<void> {
  const smaller = await shrunk(photo).catch(() => photo);
  const response = await fetch(`/api/v1/photos?incident=${encodeURIComponent(incident)}`, {
    method: "POST",
    headers: { authorization: `Bearer ${await freshToken()}`, "content-type": smaller.type || "image/jpeg" },
    body: smaller,
  });
  if (!response.ok) throw new Error(`photo refused: ${response.status}`);
}

async function shrunk(photo: Blob): Promise<Blob> {
  const picture = await createImageBitmap(photo);
  const scale = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height));
  const canvas = new OffscreenCanvas(Math.round(picture.width * scale), Math.round(picture.height * scale));
  canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  picture.close();
  return canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
}
