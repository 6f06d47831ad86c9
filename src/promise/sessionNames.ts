/** The options of `createSession` and `change`, down to the fields of a permission rule. */
import { PermissionMatch } from "../domain/Permissions.ts"
import type { PermissionRule, PermissionRules } from "../domain/Permissions.ts"
import type { ChangeSession, CreateSession, ForkSession } from "../domain/Session.ts"
import { keysOf } from "./checkOptions.ts"
import type { NamesOf } from "./checkOptions.ts"

// `then` is a key of a rule and holds no function, so nothing awaits this object.
const rule: NamesOf<PermissionRule> = {
  match: keysOf(PermissionMatch.fields),
  // oxlint-disable-next-line unicorn/no-thenable
  then: true
}

/** Of a server that is not named only: a name has no keys. */
export const mcpServerNames = {
  name: true,
  type: true,
  command: true,
  args: true,
  env: true,
  url: true,
  headers: true
} as const

/** Where there are rules: one of the words has no keys. */
const permissions: NamesOf<PermissionRules> = { default: true, rules: { each: rule } }

export const createSessionNames: NamesOf<CreateSession> = {
  agent: true,
  cwd: true,
  model: true,
  mode: true,
  effort: true,
  threadId: true,
  systemPrompt: true,
  permissions,
  mcpServers: { each: mcpServerNames },
  additionalDirectories: true,
  // Names of variables.
  env: true,
  questions: true,
  // The app's own.
  meta: true
}

export const forkNames: NamesOf<ForkSession> = {
  turnIndex: true,
  permissions,
  model: true,
  mode: true,
  effort: true,
  meta: true
}

export const settingNames: NamesOf<ChangeSession> = {
  agent: true,
  permissions,
  model: true,
  mode: true,
  effort: true
}
