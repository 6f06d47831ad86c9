/**
 * What an agent may do: a word, and rules in front of it. What each word means on each agent is in `permissionTable.ts`.
 */
import { Schema } from "effect"

/** From the strictest to the widest. `deny` is the default, because nobody may be there to answer. */
export const PermissionPolicy = Schema.Literals(["deny", "approve_reads", "ask", "approve_edits", "approve_all"])
export type PermissionPolicy = typeof PermissionPolicy.Type

/** The most arguments of a command that a rule names. */
const maxArguments = 64

/**
 * Matches a request that has all the fields given here; at least one is given.
 *
 * Nothing matches by what an agent says of itself, such as a title: only by the command, the files and the kind of its
 * request. A rule that approves a `read` or an `edit` without a `path` approves it below the session's directory.
 */
export const PermissionMatch = Schema.Struct({
  kind: Schema.optionalKey(
    Schema.NonEmptyString.annotate({
      description: "ACP's tool kind: `read`, `search`, `edit`, `delete`, `move`, `execute`, `fetch` or `other`.",
      examples: ["execute"]
    })
  ),
  command: Schema.optionalKey(
    Schema.Array(Schema.String)
      .check(Schema.isMinLength(1), Schema.isMaxLength(maxArguments))
      .annotate({
        description:
          "The program and its arguments, word for word; a last `*` stands for any further arguments. Matches one simple command only, never one with `;`, `|`, `&`, `$`, a redirection, a wildcard or a second line.",
        examples: [["git", "diff", "*"]]
      })
  ),
  path: Schema.optionalKey(
    Schema.NonEmptyString.annotate({
      description:
        "A file or a directory, absolute or below the session's directory. Every file of the request must be there, links resolved.",
      examples: ["docs"]
    })
  )
})
export type PermissionMatch = typeof PermissionMatch.Type

export const RuleOutcome = Schema.Literals(["approve", "deny", "ask"])
export type RuleOutcome = typeof RuleOutcome.Type

// oxlint-disable-next-line unicorn/no-thenable -- the key of the rule's outcome, and no promise
export const PermissionRule = Schema.Struct({ match: PermissionMatch, then: RuleOutcome })
export type PermissionRule = typeof PermissionRule.Type

/** The first rule that matches decides; if none does, `default` decides. */
export const PermissionRules = Schema.Struct({ default: PermissionPolicy, rules: Schema.Array(PermissionRule) })
export type PermissionRules = typeof PermissionRules.Type

export const Permissions = Schema.Union([PermissionPolicy, PermissionRules])
export type Permissions = typeof Permissions.Type

/** Limited, because the rules are searched for every request of an agent. */
export const maxRules = 64

/** The policy where no rule matches. */
export const policyOf = (permissions: Permissions): PermissionPolicy =>
  typeof permissions === "string" ? permissions : permissions.default

export const rulesOf = (permissions: Permissions): ReadonlyArray<PermissionRule> =>
  typeof permissions === "string" ? [] : permissions.rules

/**
 * The word by which the agent itself is configured. With rules it must ask for everything that it can ask for, or there
 * would be nothing to apply them to. Rules that only deny add nothing to a word that approves no more than reads: it stays.
 */
export const askingPolicyOf = (permissions: Permissions): PermissionPolicy => {
  const policy = policyOf(permissions)
  const approvesLittle = policy === "deny" || policy === "approve_reads"
  return rulesOf(permissions).every(({ then }) => then === "deny" && approvesLittle) ? policy : "ask"
}

const isPolicy = Schema.is(PermissionPolicy)
const isOutcome = Schema.is(RuleOutcome)

const matchKeys: ReadonlySet<string> = new Set(Object.keys(PermissionMatch.fields))

/** The keys of a rule that this version does not know: of a later version, or of an earlier one (`titlePrefix`). */
export const unknownKeysOf = (match: PermissionMatch): ReadonlyArray<string> =>
  Object.keys(match).filter((key) => !matchKeys.has(key))

/** What is wrong with permissions, also of a program without types; `null`: nothing. `problem` completes the sentence. */
export const problemOfPermissions = (
  permissions: Permissions
): { readonly field: string; readonly problem: string } | null => {
  const policy = policyOf(permissions)
  if (!isPolicy(policy)) {
    const field = typeof permissions === "string" ? "permissions" : "permissions.default"
    return { field, problem: `must be one of ${PermissionPolicy.literals.join(", ")}.` }
  }
  const rules = rulesOf(permissions)
  if (rules.length > maxRules) {
    return { field: "permissions.rules", problem: `has ${rules.length} rules; it takes ${maxRules} at most.` }
  }
  for (const [index, { match, then }] of rules.entries()) {
    if (!isOutcome(then)) {
      return {
        field: `permissions.rules[${index}].then`,
        problem: `must be one of ${RuleOutcome.literals.join(", ")}.`
      }
    }
    const field = `permissions.rules[${index}].match`
    const [unknown] = unknownKeysOf(match)
    const keys = [...matchKeys].join(", ")
    if (unknown !== undefined)
      return { field, problem: `has the unknown key ${JSON.stringify(unknown)}; it takes ${keys}.` }
    if (Object.keys(match).length === 0)
      return { field, problem: `is empty and would match everything; it takes ${keys}.` }
    const stars = match.command?.slice(0, -1).includes("*") === true || match.command?.[0] === "*"
    if (stars) return { field: `${field}.command`, problem: 'takes "*" as its last word only, after a program.' }
  }
  return null
}
