// Pictures and papers made small enough to send.

import { Failure } from "./api.js";

const MOST = 240 * 1024; // bytes
const EDGE = 1600; // pixels

/** Give a PNG or JPEG of at most 240 KB. Raises Failure when it is no picture or stays too large. */
export async function fitted(file) {
  if (!["image/png", "image/jpeg"].includes(file.type)) throw new Failure(400, "type", "请选择 PNG 或 JPEG 图片。");
  if (file.size <= MOST) return file;
  const source = await createImageBitmap(file).catch(() => {
    throw new Failure(400, "type", "这张图片无法读取，请换一张。");
  });
  for (let scale = Math.min(1, EDGE / Math.max(source.width, source.height)); scale > 0.05; scale *= 0.7) {
    const canvas = document.createElement("canvas");
    canvas.width = Math.round(source.width * scale);
    canvas.height = Math.round(source.height * scale);
    const pen = canvas.getContext("2d");
    pen.fillStyle = "#fff";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    pen.drawImage(source, 0, 0, canvas.width, canvas.height);
    const made = await new Promise((done) => canvas.toBlob(done, "image/jpeg", 0.8));
    if (made.size <= MOST) return made;
  }
  throw new Failure(413, "too_large", "图片太大，请裁剪后再发送。");
}

/** Give a file for a ticket: pictures are made smaller, a PDF must fit as it is. Raises Failure. */
export async function paper(file) {
  if (file.type !== "application/pdf") return fitted(file);
  if (file.size > MOST) throw new Failure(413, "too_large", "PDF 请控制在240KB以内，可以拆成几份上传。");
  return file;
}
