/**
 * The id of the session that an app calls by a name of its own, such as a thread of another protocol. It is made of both, so
 * nothing is stored of the name: every node finds the same session, and a second one of the name can't be inserted.
 */
import { createHash } from "node:crypto"
import { SessionId } from "../domain/Ids.ts"
import type { AppName } from "../domain/Ids.ts"

/** As long as a random one. */
const idBytes = 20

export const namedSession = (app: AppName, name: string): SessionId => {
  // No app's name has a NUL, so no two pairs are the same text.
  const digest = createHash("sha256").update(`troupe session\0${app}\0${name}`).digest()
  return SessionId.make(`ses_${digest.subarray(0, idBytes).toString("base64url")}`)
}
