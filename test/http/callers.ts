/** The callers that the scripted services know, and their tokens. */
import { AppName } from "../../src/domain/Ids.ts"
import type { Caller } from "../../src/services/Sessions.ts"

export const appToken = "trp_the-app"
export const otherToken = "trp_another-app"
export const adminToken = "the-admin"

export const callers: Readonly<Record<string, Caller>> = {
  [appToken]: { _tag: "App", app: AppName.make("the-app") },
  [otherToken]: { _tag: "App", app: AppName.make("another-app") },
  [adminToken]: { _tag: "Admin" }
}
