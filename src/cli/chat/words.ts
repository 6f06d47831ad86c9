/** The texts of a chat besides the agent's output: changes of the session, approvals and their details, answers to commands. */
import { clipped } from "../../domain/boundedJson.ts"
import { words } from "../../domain/permissionTable.ts"
import { PermissionPolicy, policyOf, rulesOf } from "../../domain/Permissions.ts"
import type { Permissions } from "../../domain/Permissions.ts"
import { at, listIn, nonEmptyTextIn, objectIn, textIn } from "../../domain/json.ts"
import type { ToolCall } from "../../domain/ToolCall.ts"
import type { ApprovalDecision } from "../../domain/Approval.ts"
import type { SessionUpdate } from "../../domain/Acp.ts"
import { threadTable } from "../threadTable.ts"
import { harmless, oneLine, paint } from "../terminal.ts"
import type { PendingApproval, Summary, Threads } from "./Conversation.ts"

export const help = [
  "A line is a turn; one that ends with \\ goes on in the next line.",
  "What you write while a turn runs waits for its end.",
  "",
  "  /steer TEXT   adds words to the turn that runs, where the agent can",
  "  /permissions  says what the agent may do unasked; with a word, changes it for the next turns",
  "  /model        says which model answers, and which there are; with a name, changes it for the next turns",
  "  /mode, /effort  the same of the agent's mode, and of how much it thinks; - is the agent's own",
  "  /attach PATH  gives the next turn a file, an image as an image where the agent sees them",
  "  /fork [TURN]  goes on in a copy of the conversation, up to that turn or all of it, where the agent can",
  "  /threads [DIRECTORY]  lists the conversations that the agent has; /thread ID goes on with one",
  "  /compact      has the agent make room in its context, where it can",
  "  /usage        tells what the session has used",
  "  /help         shows this",
  "  /detach       ends the chat and leaves the session open, to come back to it by troupe chat --session",
  "  /close        ends the chat and closes the session",
  "  /quit         ends the chat, as Ctrl-D does: a session that it opened is closed",
  "",
  "Ctrl-C interrupts the turn, a second one ends the chat. A line that begins with a blank is sent as it is."
].join("\n")

export const prompt = paint("bold", "› ")
/** The prompt of a line that is continued. */
export const goesOn = paint("bold", "… ")

/** The second line of a chat. `stays`: its session was there before. */
export const keysText = (stays: boolean): string =>
  stays
    ? "Ctrl-C interrupts a turn, Ctrl-D leaves the session open, /close closes it, /help tells more."
    : "Ctrl-C interrupts a turn, Ctrl-D closes the session, /help tells more."
export const waits = "It waits for the end of this turn. /steer TEXT says it at once."

export const endsWithUs =
  "The turn runs in this process and would end with it. Wait for its end, or interrupt it. (On a server it goes on: troupe serve.)"

export const withoutEnd = "— the agent never said that it had ended: what it said counts"

const longestPrompt = 2_000

/** A prompt that was not typed here. */
export const promptText = (text: string) => `${paint("bold", "›")} ${harmless(clipped(text, longestPrompt))}`

export const quiet = (text: string) => paint("dim", text)

/** A `_troupe/…` message as a sentence; `null` where it does not concern a person. */
export const sentenceOf = (method: string, params: unknown): string | null => {
  switch (method) {
    case "_troupe/context_lost":
      return `The agent has lost what was said before: ${oneLine(String(at(params, "reason")))}`
    case "_troupe/context_restored":
      return `The agent is on another machine now. It knows what was said up to turn ${String(at(params, "as_of_turn"))}.`
    case "_troupe/workdir_lost":
      return `The session's files are lost: they did not come along to the machine that it is on now. Its directory is empty: ${oneLine(String(at(params, "directory")))}`
    case "_troupe/turn_recovered":
      return `The agent had finished turn ${String(at(params, "turn_index"))} all the same: ${oneLine(String(at(params, "text")))}`
    case "_troupe/state":
      return stateSentence(String(at(params, "to")), String(at(params, "from")))
    default:
      return null
  }
}

const stateSentence = (to: string, from: string): string | null => {
  switch (to) {
    case "idle.backingOff":
      return "The agent's process is dead. Another one is being started."
    case "idle.awake":
      return from === "idle.waking" ? "A new process has taken the conversation up." : null
    case "idle.parked":
      return "The agent is left alone for now: its process keeps dying, or its account is used up. The next line says for how long."
    default:
      return null
  }
}

/** What an agent reports besides the conversation, as a sentence; `null` for other updates. */
export const asideOf = (update: SessionUpdate): string | null => {
  if (update.sessionUpdate === "notice") return noticeOf(update)
  const meta = objectIn(update["_meta"])
  const retry = nonEmptyTextIn(at(meta, "troupe/retry", "message"))
  if (retry !== null) return `The agent tries again: ${oneLine(retry)}`
  const warning = nonEmptyTextIn(meta["troupe/warning"])
  if (warning !== null) return oneLine(warning)
  return meta["troupe/compaction"] === "completed" ? compacted : null
}

export const notCompacted = "The agent has made no room in its context."

const compacted = "The agent has made room in its context."

const noticeOf = (update: SessionUpdate): string | null => {
  const title = nonEmptyTextIn(update["title"]) ?? nonEmptyTextIn(update["message"])
  return title === null ? null : oneLine(title)
}

// ---- approvals

/** The decision of each key, or of a line that consists of it. */
export const keys: Readonly<Record<string, ApprovalDecision>> = { y: "once", a: "session", n: "deny" }

export const answers: Readonly<Record<ApprovalDecision, string>> = {
  once: "yes, once",
  session: "yes, for this session",
  deny: "no"
}

export const keyPrompt = "  y yes, once · a for this session · n no · d details › "

/** Until nobody can answer any more. */
export const minutesLeft = ({ deadlineAt }: PendingApproval, now: number): number =>
  Math.max(1, Math.round((deadlineAt - now) / 60_000))

export const approvalText = (approval: PendingApproval, now: number): string => {
  const { kind, raw, title } = approval
  const { command, cwd } = detailsOf(raw)
  const minutes = minutesLeft(approval, now)
  const lines = [paint("yellow", `? ${oneLine(kind)}: ${oneLine(title)}`)]
  // The agent chooses the title; the command is what runs.
  if (command !== null && !oneLine(title).includes(oneLine(command))) lines.push(`  command: ${oneLine(command)}`)
  lines.push(quiet(`  ${cwd === null ? "" : `in ${oneLine(cwd)}; `}no answer within ${minutes} min is a no`))
  return `${lines.join("\n")}\n`
}

/** The details of an approval: the diffs of its tool call, else the agent's request. */
export const detailsText = ({ raw }: PendingApproval, tool: ToolCall | undefined): string => {
  const changes = (tool?.diffs ?? []).flatMap((diff) => [
    quiet(`  ${oneLine(String(diff["path"]))}`),
    ...sideOf("-", "red", diff["oldText"]),
    ...sideOf("+", "green", diff["newText"])
  ])
  if (changes.length > 0) return `${changes.join("\n")}\n`
  const request = JSON.stringify(at(raw, "toolCall") ?? raw, null, 2) ?? "null"
  return `${indented(harmless(clipped(request, longestDetails)))}\n`
}

const longestDetails = 8_000

const sideOf = (mark: string, style: "red" | "green", side: unknown): ReadonlyArray<string> =>
  (nonEmptyTextIn(side) === null ? [] : clipped(String(side), longestDetails).split("\n")).map((line) =>
    paint(style, `  ${mark} ${harmless(line)}`)
  )

const indented = (lines: string): string => lines.replace(/^/gm, "  ")

/** The command and its directory, as codex and the agents of the Agent Client Protocol send them. */
const detailsOf = (raw: unknown) => {
  const input = objectIn(at(raw, "toolCall", "rawInput"))
  const command = input["command"] ?? input["cmd"] ?? at(raw, "command")
  return {
    command: Array.isArray(command) ? listIn(command).map(String).join(" ") : nonEmptyTextIn(command),
    cwd: textIn(input["cwd"] ?? at(raw, "cwd"))
  }
}

// ---- summaries

export interface Context {
  readonly used: number
  readonly size: number
}

export const usageText = ({ turns, usage }: Summary, context: Context | null): string => {
  const contextText =
    context === null || context.size === 0
      ? ""
      : ` · context ${context.used} of ${context.size} (${Math.round((100 * context.used) / context.size)} %)`
  const { cachedInputTokens, inputTokens, outputTokens } = usage
  return `${countOf(turns, "turn")} · ${countOf(inputTokens, "token")} in (${cachedInputTokens} cached), ${outputTokens} out${contextText}`
}

const countOf = (n: number, what: string): string => `${n} ${what}${n === 1 ? "" : "s"}`

export const threadsText = ({ hasMore, threads }: Threads, now: number): string => {
  if (threads.length === 0) return quiet("The agent has no conversations there.")
  return threadTable(threads, now) + (hasMore ? `\n${quiet("… and older ones")}` : "")
}

export type Setting = "model" | "mode" | "effort"

/** What there is to choose from, the present one marked. */
export const choicesText = (setting: Setting, { choices, [setting]: present, turns }: Summary): string => {
  const offered = choices?.[`${setting}s`] ?? []
  const lines = offered.map(({ description, id, name }) => {
    const about = description ?? (name === id ? "" : name)
    const text = harmless(`${id === present ? "●" : " "} ${id}${about === "" ? "" : `  ${oneLine(about)}`}`)
    return id === present ? text : quiet(text)
  })
  const own =
    present === null
      ? [`The agent's own ${setting}.`]
      : offered.some(({ id }) => id === present)
        ? []
        : [`● ${harmless(present)}`]
  const none =
    offered.length > 0
      ? []
      : [
          quiet(
            choices === null && turns === 0
              ? "The agent offers its list with the first turn."
              : "The agent offers no list now."
          )
        ]
  return [...own, ...lines, ...none].join("\n")
}

/** Each word with its meaning, the present one marked. */
export const permissionsText = (permissions: Permissions): string => {
  const present = policyOf(permissions)
  const rules = rulesOf(permissions).length
  const lines = PermissionPolicy.literals.map((word) => {
    const text = `${word === present ? "●" : " "} ${word.padEnd(13)} ${words[word].meaning}`
    return word === present ? text : quiet(text)
  })
  return [
    ...lines,
    ...(rules === 0 ? [] : [quiet(`${rules === 1 ? "A rule goes" : `${rules} rules go`} before it.`)])
  ].join("\n")
}
