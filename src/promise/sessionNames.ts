/** The options of `createSession` and `change`, down to the fields of a permission rule. */
import { PermissionMatch } from "../domain/Permissions.ts"
import type { PermissionRule, PermissionRules } from "../domain/Permissions.ts"
import type { CreateSession, SessionSettings } from "../domain/Session.ts"
import { keysOf } from "./checkOptions.ts"
import type { NamesOf } from "./checkOptions.ts"

// `then` is a key of a rule and holds no function, so nothing awaits this object.
const rule: NamesOf<PermissionRule> = {
  match: keysOf(PermissionMatch.fields),
  // oxlint-disable-next-line unicorn/no-thenable
  then: true
}

/** Where there are rules: one of the words has no keys. */
const permissions: NamesOf<PermissionRules> = { default: true, rules: { each: rule } }

export const createSessionNames: NamesOf<CreateSession> = {
  agent: true,
  cwd: true,
  model: true,
  systemPrompt: true,
  permissions,
  // The app's own.
  meta: true
}

export const settingNames: NamesOf<SessionSettings> = { permissions, model: true }
