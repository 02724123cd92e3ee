// A photo made smaller on the phone: one of 6 MB on bad 4G arrives after the incident is over.

/** The longer side of what is sent, in pixels. */
export const LONGEST_SIDE = 1600;
const QUALITY = 0.8;

/** The picture as it is to be sent; as it came where the browser cannot read it. */
export async function shrunk(photo: Blob): Promise<Blob> {
  try {
    const picture = await createImageBitmap(photo);
    const scale = Math.min(1, LONGEST_SIDE / Math.max(picture.width, picture.height));
    const canvas = new OffscreenCanvas(Math.round(picture.width * scale), Math.round(picture.height * scale));
    canvas.getContext("2d")?.drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    return await canvas.convertToBlob({ type: "image/jpeg", quality: QUALITY });
  } catch {
    return photo;
  }
}
