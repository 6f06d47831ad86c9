/** Refuses texts that can't be an argument of a program, before anything is started with them. */
import { Effect } from "effect"
import { InvalidRequest } from "../domain/Refusal.ts"

/** In bytes. A name of a model is far shorter. */
const maxModelBytes = 4_096

/** `fields`: by their names on the wire. The kernel ends an argument at its first NUL, so Node takes none that has one. */
export const checkArguments = (
  fields: Readonly<Record<string, string | null | undefined>>
): Effect.Effect<void, InvalidRequest> => {
  for (const [field, text] of Object.entries(fields)) {
    if (text?.includes("\0") === true)
      return Effect.fail(new InvalidRequest({ field, problem: "may not contain the character NUL (U+0000)." }))
    if (field === "model" && Buffer.byteLength(text ?? "") > maxModelBytes)
      return Effect.fail(new InvalidRequest({ field, problem: `may have at most ${maxModelBytes} bytes.` }))
  }
  return Effect.void
}
