/**
 * Pictures and style sheets as this document has them, and whether it will have them.
 */

/** How long to wait for a picture that is loading, in milliseconds. */
const PATIENCE = 3000;

/**
 * Whether the page's own request for a picture that it does not show says all: one that it could not show is not to be had, and one
 * that it is, or just was, still `loading`, which this waits for, passes the server, which then wants nothing any more. Asking the
 * site a second time could get another picture, or none.
 */
export async function comesByItself(image: HTMLImageElement, loading: boolean): Promise<boolean> {
  // Pictures without a size of their own are no wider either.
  if (!loading)
    return image.decode().then(
      () => false,
      () => true,
    );
  if (!(image.currentSrc || image.src).startsWith(`${location.origin}/`)) return false;
  if (image.complete) return true;
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), PATIENCE);
    const done = (): void => {
      clearTimeout(timer);
      resolve(true);
    };
    image.addEventListener("load", done, { once: true });
    image.addEventListener("error", done, { once: true });
  });
}

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
