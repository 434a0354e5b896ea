/**
 * Large frames travel deflated: one byte that says so, then raw deflate (RFC 1951).
 */

import { DEFLATED } from "../protocol/words.ts";

/** The frame as it travels. */
export async function deflate(frame: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  const packed = await through(new CompressionStream("deflate-raw"), frame);
  const out = new Uint8Array(packed.byteLength + 1);
  out[0] = DEFLATED;
  out.set(new Uint8Array(packed), 1);
  return out;
}

/** The frame that came as `bytes`. */
export async function inflate(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await through(new DecompressionStream("deflate-raw"), bytes.subarray(1)));
}

function through(
  stream: CompressionStream | DecompressionStream,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<ArrayBuffer> {
  return new Response(new Blob([bytes]).stream().pipeThrough(stream)).arrayBuffer();
}
