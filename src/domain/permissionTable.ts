/**
 * What each permission word means, and how each agent keeps it: the one source of the tables in the documentation, in
 * OpenAPI, in `troupe chat` and in the dashboard, and of the tests with real agents (`test/real/permissions`).
 */
import type { PermissionPolicy } from "./Permissions.ts"

/**
 * `reads`: it happens in the agent's own sandbox, in which it can read, and neither write nor reach the network; else it is
 * refused. `reads_or_asked`: the same, and a person is asked for what that sandbox does not allow.
 */
export type Cell = "happens" | "asked" | "refused" | "reads" | "reads_or_asked"

/** What an agent may want to do. The order is that of the cells in a row. */
export const actions = [
  "read in cwd",
  "read outside",
  "edit in cwd",
  "command",
  "write outside",
  "write in /tmp",
  "network",
  "MCP tool"
] as const
export type Action = (typeof actions)[number]

export type Row = readonly [Cell, Cell, Cell, Cell, Cell, Cell, Cell, Cell]

/** The most that happens under each word, whatever the agent. */
export const words: Readonly<Record<PermissionPolicy, { readonly meaning: string; readonly row: Row }>> = {
  deny: {
    meaning: "Nothing that writes, runs unconfined or leaves happens. What the agent asks for is refused.",
    row: ["happens", "reads", "refused", "reads", "refused", "refused", "refused", "refused"]
  },
  approve_reads: {
    meaning: "As `deny`; where the agent asks before it reads files of the session's directory, it may.",
    row: ["happens", "reads", "refused", "reads", "refused", "refused", "refused", "refused"]
  },
  ask: {
    meaning: "Reads as the agent's sandbox allows; a person is asked for everything else.",
    row: ["happens", "reads_or_asked", "asked", "reads_or_asked", "asked", "asked", "asked", "asked"]
  },
  approve_edits: {
    meaning:
      "As `ask`; edits of files in the session's directory happen, but for those that git, agents and editors take settings from (`.git`, `.claude`, `.codex`, `.mcp.json`, …).",
    row: ["happens", "reads_or_asked", "happens", "reads_or_asked", "asked", "asked", "asked", "asked"]
  },
  approve_all: {
    meaning: "Everything that the operator allows happens, the network included.",
    row: ["happens", "happens", "happens", "happens", "happens", "happens", "happens", "happens"]
  }
}

/** How one agent keeps a word: its row, or why it can't, as a sentence that says what to use instead. */
export type Kept = Row | { readonly problem: string }

export interface AgentRows {
  /** As a person knows it. */
  readonly title: string
  /** How the rows are known, as a sentence: on which versions they were seen, if they were. */
  readonly known: string
  readonly rows: Readonly<Record<PermissionPolicy, Kept>>
  /** What a reader should know besides. */
  readonly notes: ReadonlyArray<string>
}

const claudeRefuses: Row = ["happens", "refused", "refused", "reads", "refused", "refused", "refused", "refused"]
const readsOnly: Row = ["happens", "reads", "refused", "reads", "refused", "refused", "refused", "refused"]
const sandboxedAsk: Row = ["happens", "reads", "asked", "reads_or_asked", "asked", "asked", "asked", "asked"]
const sandboxedEdits: Row = ["happens", "reads", "happens", "reads_or_asked", "asked", "asked", "asked", "asked"]

/** Of agents without a sandbox that ask before all but reads of the session's directory. */
const refusesAll: Row = ["happens", "refused", "refused", "refused", "refused", "refused", "refused", "refused"]
const asksAll: Row = ["happens", "asked", "asked", "asked", "asked", "asked", "asked", "asked"]
const asksToEdit: Row = ["happens", "asked", "happens", "asked", "asked", "asked", "asked", "asked"]

/** How an agent keeps the words by a sandbox that reads only. */
const sandboxed = {
  deny: readsOnly,
  approve_reads: readsOnly,
  ask: sandboxedAsk,
  approve_edits: sandboxedEdits,
  approve_all: words.approve_all.row
} as const

/** How an agent keeps them that asks for all but reads of the session's directory. */
const unsandboxed = {
  deny: refusesAll,
  approve_reads: refusesAll,
  ask: asksAll,
  approve_edits: asksToEdit,
  approve_all: words.approve_all.row
} as const

const behindAcpx = {
  claude: {
    problem:
      "Claude Code behind acpx obeys the session's repository, and nobody can be asked. Use the agent `claude` without acpx."
  },
  codex: { problem: "Nobody can be asked behind acpx. Use the agent `codex` without acpx." }
} as const

export const agents = {
  codex: {
    title: "codex (`codex app-server`)",
    known: "Seen on codex 0.171.",
    rows: sandboxed,
    notes: [
      "Commands run in codex's sandbox, unasked: under every word but `approve_all` they read and can neither write nor reach the network. Codex's own search of the web is off there, because it does not ask. Of a command that the sandbox refuses at once codex reports nothing, so the events do not show it. That sandbox has no narrower read, so files outside of the session's directory are read, too; under `deny` and `approve_reads` all but codex's own login.",
      "Codex asks where it is to leave that sandbox, and before it changes a file. What it asks is all that rules see: a command that only reads is not asked. Under `deny` and `approve_reads` it asks nothing, and with rules it is configured as for `ask`, whatever their default, unless they only deny under one of these two.",
      "`approve_all` lets commands write below the session's directory and in the temporary directories, and reach the network. Elsewhere, and in `.git` and `.codex`, they write when codex asks to leave the sandbox; Troupe approves it, and it is in the audit trail.",
      "Commands that the rules in CODEX_HOME (or in /etc/codex) allow leave the sandbox under `approve_all` only. Where there are such rules, the other words are kept more strictly: codex does not ask before it runs such a command, which stays in the sandbox, and a command that a person approves writes everywhere, and does not reach the network.",
      "Each call of an MCP server is asked for, of a session's own and of those in CODEX_HOME/config.toml, whatever the server or that file says of its tools, and refused under `deny` and `approve_reads`; under `approve_all` the file counts as it is.",
      "The repository's `.codex` counts below the agent's `trustedRoots` only. Its `AGENTS.md` reaches the model as text everywhere."
    ]
  },
  claude: {
    title: "Claude Code (`claude-agent-acp`)",
    known: "Seen on claude-agent-acp 0.101.",
    rows: {
      deny: claudeRefuses,
      approve_reads: claudeRefuses,
      ask: ["happens", "asked", "asked", "reads_or_asked", "asked", "asked", "asked", "asked"],
      approve_edits: ["happens", "asked", "happens", "reads_or_asked", "asked", "asked", "asked", "asked"],
      approve_all: words.approve_all.row
    },
    notes: [
      "It has no sandbox: commands that it takes for mere reads of the session's directory (`cat`, `ls`, `git status`) run unasked. Git runs nothing that the repository names.",
      "Of the repository it gets CLAUDE.md only, as text (32 kB; imports with `@` are not followed). Hooks, MCP servers, `apiKeyHelper`, `env`, commands and agents of the repository count only below `trustedRoots`; MCP servers of the operator's own, too.",
      "What the operator's own settings allow (`~/.claude/settings.json`) is not asked again, and their hooks run.",
      "It keeps no memory of a project unless the session has `approve_all`, and has no tool of its own that writes, schedules or decides without a question (`CronCreate`, `EnterWorktree`, `EnterPlanMode`, `Workflow`, `LSP`, …), nor any that Troupe does not know. A sub-agent may be started, unless it is to work in a worktree, and asks for what it does.",
      "A one-shot run (`POST /run`, `troupe run`) takes the same words but `ask` and `approve_edits`, since nobody can be asked. Tools of MCP servers are not approved in it. Without a word it has what the operator's own settings of Claude Code allow, with the files that the app attached, or `deny` where the operator bounds the permissions of the app."
    ]
  },
  "codex-acp": {
    title: "codex (`codex-acp`)",
    known: "Seen on codex-acp 2.6.",
    rows: sandboxed,
    notes: [
      "It always obeys a repository's `.codex` directory. Where there is one, all words but `approve_all` are refused with 422, unless it is below `trustedRoots`; use the agent `codex`. So are they where its CODEX_HOME (or /etc/codex) has rules for commands, because what these allow leaves the sandbox unasked.",
      "Under `approve_all` commands still run in its sandbox, which covers the session's directory and no network, until the model asks to leave it."
    ]
  },
  "acpx claude": {
    title: "Claude Code behind acpx",
    known:
      "Seen on acpx 0.19 with claude-agent-acp 0.101; a session takes no MCP servers, so that column follows from the agent.",
    rows: {
      deny: behindAcpx.claude,
      approve_reads: behindAcpx.claude,
      ask: behindAcpx.claude,
      approve_edits: behindAcpx.claude,
      approve_all: words.approve_all.row
    },
    notes: []
  },
  "acpx codex": {
    title: "codex behind acpx",
    known:
      "Seen on acpx 0.19 with codex-acp 2.6; a session takes no MCP servers, so that column follows from the agent.",
    rows: {
      deny: readsOnly,
      approve_reads: readsOnly,
      ask: behindAcpx.codex,
      approve_edits: behindAcpx.codex,
      approve_all: words.approve_all.row
    },
    notes: [
      "Rules are refused, too. A repository's `.codex`, or its `.acpxrc.json`, which says what acpx starts, has all words but `approve_all` refused with 422; so have rules for commands in codex's CODEX_HOME."
    ]
  },
  opencode: {
    title: "opencode",
    known: "Seen on opencode 1.18.",
    rows: unsandboxed,
    notes: [
      "A repository's `opencode.json` is not read. Its `.opencode` directory is, whatever it is set to: where there is one, all words but `approve_all` are refused with 422."
    ]
  },
  gemini: {
    title: "Gemini CLI",
    known: "Seen on Gemini CLI 0.61.",
    rows: {
      deny: refusesAll,
      approve_reads: refusesAll,
      ask: ["happens", "asked", "asked", "reads_or_asked", "asked", "asked", "asked", "refused"],
      approve_edits: ["happens", "asked", "happens", "reads_or_asked", "asked", "asked", "asked", "refused"],
      approve_all: ["happens", "happens", "happens", "happens", "happens", "happens", "happens", "refused"]
    },
    notes: [
      "It has no sandbox. In its mode `default`, in which it is kept, it asks, but not before commands that it takes for mere reads of the session's directory (`cat`, `ls`, `grep`). One of these writes (`uniq IN OUT`): a policy on its command line refuses each command with the letters of `uniq` in a word, under `deny` and `approve_reads` all commands, and under all words but `approve_all` its search of the web and a change to its plan mode, in which it writes plans unasked. That policy counts only where the machine's administrator has no policies for Gemini CLI.",
      "It starts MCP servers below `trustedRoots` only; elsewhere a session that has some fails its start.",
      "It obeys `.gemini` and `.env` of a directory and those above it: where there is one, all words but `approve_all` are refused with 422."
    ]
  },
  "other ACP agents": {
    title: "any other ACP agent",
    known: "Not checked.",
    rows: unsandboxed,
    notes: [
      "The words hold as far as the agent asks. What it does without asking, Troupe does not see and can't prevent."
    ]
  }
} as const satisfies Record<string, AgentRows>

/** Cells that keep a promise: they are as strict, or stricter. */
const stricter: Readonly<Record<Cell, ReadonlyArray<Cell>>> = {
  happens: ["happens", "reads_or_asked", "reads", "asked", "refused"],
  reads_or_asked: ["reads_or_asked", "reads", "asked", "refused"],
  reads: ["reads", "refused"],
  asked: ["asked", "refused"],
  refused: ["refused"]
}

/** Whether an agent that behaves like `row` keeps the word. */
export const keeps = (row: Row, word: PermissionPolicy): boolean =>
  row.every((cell, index) => {
    const most = words[word].row[index]
    return most !== undefined && stricter[most].includes(cell)
  })
