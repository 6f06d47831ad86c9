/** The type of an image by its first bytes: what a client says of a file's type, or its name, may be wrong. */
import type { ImageType } from "./PromptContent.ts"

/** As many bytes as the longest signature has. */
export const signatureBytes = 12

const ascii = (bytes: Uint8Array, from: number, to: number) => String.fromCharCode(...bytes.subarray(from, to))

export const imageTypeOf = (bytes: Uint8Array): ImageType | null => {
  if (ascii(bytes, 0, 8) === "\u0089PNG\r\n\u001a\n") return "image/png"
  if (bytes[0] === 0xff && bytes[1] === 0xd8 && bytes[2] === 0xff) return "image/jpeg"
  if (/^GIF8[79]a$/.test(ascii(bytes, 0, 6))) return "image/gif"
  if (ascii(bytes, 0, 4) === "RIFF" && ascii(bytes, 8, 12) === "WEBP") return "image/webp"
  return null
}
