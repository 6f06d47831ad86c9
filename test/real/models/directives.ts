/**
 * What a prompt tells the stand-in to answer.
 *
 * A real agent sends its model whatever it likes around the prompt; only the last text of the user counts here. Without
 * a directive the answer is `echo: <that text>`. A directive has a line of its own:
 *
 * | line | the model |
 * |---|---|
 * | `RUN:<shell command>` | calls the agent's shell tool first; one call per answer, in the order written |
 * | `ASK:<shell command>` | the same, so that the agent must ask for leave: codex outside of its sandbox |
 * | `READ:<path>` | reads a file, with whatever tool the agent has for that |
 * | `WRITE:<path>\|<text>` | creates a file, with whatever tool the agent has for that |
 * | `MCP:<server>/<tool>` | calls that tool of an MCP server |
 * | `CALL:<tool> <JSON>` | calls the agent's tool of this name with this input |
 * | `SAY:<text>` | says that text |
 * | `THINK:<text>` | thinks that text first |
 * | `RECALL` | says the JSON list of every user text that it was sent: what context there is |
 * | `SYSTEM` | says the system prompt |
 * | `SLOW:<n>x<ms>` | says n numbered words, one every so many milliseconds |
 * | `HANG` | begins to answer and says no more until the agent gives up; after its tools, where it has any |
 * | `BIG:<n>` | says n million characters, at once |
 * | `ERR:<status>` | refuses with that HTTP status, as the provider words it |
 */
export type Tool =
  | { readonly kind: "run"; readonly command: string; readonly escalated: boolean }
  | { readonly kind: "read"; readonly path: string }
  | { readonly kind: "write"; readonly path: string; readonly text: string }
  | { readonly kind: "call"; readonly tool: string; readonly input: string }
  | { readonly kind: "mcp"; readonly server: string; readonly tool: string }

export interface Directives {
  readonly tools: ReadonlyArray<Tool>
  readonly say: string | null
  readonly think: string | null
  readonly recall: boolean
  readonly system: boolean
  readonly slow: { readonly words: number; readonly everyMillis: number } | null
  readonly hang: boolean
  readonly millions: number | null
  readonly status: number | null
}

const line = /^([A-Z]+)(?::(.*))?$/

export const parse = (prompt: string): Directives => {
  const tools: Array<Tool> = []
  const found = new Map<string, string>()
  for (const text of prompt.split("\n")) {
    const [, name, value = ""] = line.exec(text.trim()) ?? []
    if (name === "RUN" || name === "ASK") tools.push({ kind: "run", command: value.trim(), escalated: name === "ASK" })
    else if (name === "CALL") {
      const [tool = ""] = value.trim().split(" ")
      tools.push({ kind: "call", tool, input: value.trim().slice(tool.length + 1) || "{}" })
    } else if (name === "READ") tools.push({ kind: "read", path: value.trim() })
    else if (name === "MCP") {
      const [server = "", tool = ""] = value.trim().split("/")
      tools.push({ kind: "mcp", server, tool })
    } else if (name === "WRITE") {
      const bar = value.indexOf("|")
      tools.push({ kind: "write", path: value.slice(0, bar), text: value.slice(bar + 1) })
    } else if (name !== undefined) found.set(name, value)
  }
  const [words, everyMillis] = (found.get("SLOW") ?? "").split("x").map(Number)
  return {
    tools,
    say: found.get("SAY") ?? null,
    think: found.get("THINK") ?? null,
    recall: found.has("RECALL"),
    system: found.has("SYSTEM"),
    slow: words && everyMillis ? { words, everyMillis } : null,
    hang: found.has("HANG"),
    millions: found.has("BIG") ? Number(found.get("BIG")) : null,
    status: found.has("ERR") ? Number(found.get("ERR")) : null
  }
}
