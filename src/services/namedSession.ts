/**
 * The id of the session that an app calls by a name of its own, such as a thread of another protocol. It is made of both, so
 * nothing is stored of the name: every node finds the same session, and a second one of the name can't be inserted.
 */
import { createHash } from "node:crypto"
import { SessionId } from "../domain/Ids.ts"
import type { AppName } from "../domain/Ids.ts"
import type { Caller } from "../runtime/Caller.ts"

/** As long as a random one. */
const idBytes = 20

/** An app that took the name of a revoked one has sessions of its own: when it was created tells the two apart. */
export const namedSession = (app: AppName, by: Caller, name: string): SessionId => {
  const since = by._tag === "App" ? (by.since ?? "") : ""
  // Neither an app's name nor a time has a NUL, so no two of these are the same text.
  const digest = createHash("sha256").update(`troupe session\0${app}\0${since}\0${name}`).digest()
  return SessionId.make(`ses_${digest.subarray(0, idBytes).toString("base64url")}`)
}
