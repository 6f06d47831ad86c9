/**
 * What an agent asks leave for, as far as its request itself shows: a command, files, a tool of an MCP server. Drivers
 * read it from the fields that the agent acts on, never from a title or a summary that it wrote for a person.
 */
export type RequestedAction =
  | {
      readonly _tag: "Command"
      /** As it would be run: what a person is shown. */
      readonly text: string
      /** Where the whole of it is one simple command (`simpleCommand`): its words. `null`: it is not. */
      readonly argv: ReadonlyArray<string> | null
      /** Where it would run, absolute or relative to the session's directory. Empty: there, or the request does not say. */
      readonly directories: ReadonlyArray<string>
    }
  /** `paths`: every file that is read, absolute or relative to the session's directory. Empty: the request names none. */
  | { readonly _tag: "Read"; readonly paths: ReadonlyArray<string> }
  /** `paths`: every file that is made, changed, moved or removed. Empty: the request names none. */
  | { readonly _tag: "Edit"; readonly paths: ReadonlyArray<string> }
  /** `host`: `null` where the request does not name it. */
  | { readonly _tag: "Network"; readonly host: string | null }
  | { readonly _tag: "McpTool"; readonly server: string | null; readonly tool: string | null }
  /** A sub-agent that works where the agent does, and asks for what it does as the agent does. */
  | { readonly _tag: "SubAgent" }
  /** Nothing that can be told from its fields. */
  | { readonly _tag: "Other" }

/** ACP's tool kinds of these actions, for a rule's `kind`. */
export const kindsOf = {
  Command: ["execute"],
  Read: ["read", "search"],
  Edit: ["edit", "delete", "move"],
  Network: ["fetch"],
  McpTool: ["other"],
  SubAgent: ["other"],
  Other: ["other"]
} as const satisfies Record<RequestedAction["_tag"], ReadonlyArray<string>>

const kindsOfActions: ReadonlySet<string> = new Set(Object.values(kindsOf).flat())

/**
 * The kind that a person is shown, and that is stored: the agent's own word where it fits what is asked. So a command is
 * `execute`, also where the agent calls it a read.
 */
export const kindShown = ({ _tag }: RequestedAction, said: string): string => {
  const fitting: ReadonlyArray<string> = kindsOf[_tag]
  const [first = "other"] = fitting
  // What is none of the known actions may have a word of its own, such as `switch_mode`.
  const isItsOwn = first === "other" && !kindsOfActions.has(said)
  return fitting.includes(said) || isItsOwn ? said : first
}

const ofFiles: ReadonlySet<string> = new Set([...kindsOf.Read, ...kindsOf.Edit])

/** Whether a yes to a request that is shown with this kind may let its agent reach the network. */
export const mayReachNetwork = (kind: string): boolean => !ofFiles.has(kind)
