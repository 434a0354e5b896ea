/**
 * Pictures and style sheets as this document has them.
 */

/** A picture whose address does not lead to it, or not for scripts: as the page shows it. */
async function redraw(url: string): Promise<Blob> {
  const image = [...document.images].find(
    ({ currentSrc, complete, naturalWidth }) => currentSrc === url && complete && naturalWidth > 0,
  );
  const canvas = document.createElement("canvas");
  canvas.width = image?.naturalWidth ?? 0;
  canvas.height = image?.naturalHeight ?? 0;
  if (image) canvas.getContext("2d")?.drawImage(image, 0, 0);
  const drawn = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve));
  if (!drawn) throw new Error("no such picture");
  return drawn;
}

/** What can not be had any more, as far as this document has it. */
export function reread(url: string): Promise<Blob> {
  const sheet = [...document.styleSheets].find(({ href }) => href === url);
  if (!sheet) return redraw(url);
  const rules = [...sheet.cssRules].map(({ cssText }) => cssText);
  return Promise.resolve(new Blob([rules.join("\n")], { type: "text/css" }));
}
