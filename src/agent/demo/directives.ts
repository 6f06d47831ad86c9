/**
 * The directives by which a prompt controls the demo agent. A line of the prompt that is a directive is carried out; all
 * other lines are echoed at the end. `table` is the reference, which the prompt `help` lists.
 */
import type { Session } from "./memory.ts"
import { fail, late } from "./misbehaving.ts"
import type { FailureKind } from "./misbehaving.ts"
import * as Showing from "./showing.ts"
import { steered } from "./turn.ts"
import type { Turn } from "./turn.ts"
import { put, flushed, text } from "./wire.ts"

interface Directive {
  readonly usage: string
  readonly does: string
  /** Matches what follows its name. */
  readonly takes: RegExp
  readonly act: (turn: Turn, argument: RegExpExecArray) => Promise<void> | void
}

const nothing = /^$/
const number = /^(\d{0,7})$/

export const table: Readonly<Record<string, Directive>> = {
  help: { usage: "help", does: "lists these lines", takes: nothing, act: (turn) => turn.sayParagraph(help()) },
  recall: {
    usage: "recall",
    does: "answers with the earlier prompts as a JSON array",
    takes: nothing,
    act: (turn) => turn.sayParagraph(JSON.stringify(earlier(turn.session)))
  },
  system: {
    usage: "system",
    does: "answers with the system prompt that the session was opened with",
    takes: nothing,
    act: (turn) => turn.sayParagraph(turn.session.system || "There is no system prompt.")
  },
  session: {
    usage: "session",
    does: "answers with the model, effort and mode of the session, its MCP servers and its directories",
    takes: nothing,
    act: Showing.tellSession
  },
  env: {
    usage: "env <NAME>",
    does: "answers with the value of this variable of its environment",
    takes: /^(\w+)$/,
    act: (turn, [, name]) => Showing.tellVariable(turn, name ?? "")
  },
  trace: {
    usage: "trace",
    does: "answers with the trace context that the prompt came with",
    takes: nothing,
    act: (turn) => turn.sayParagraph(turn.traceparent || "There is no trace.")
  },
  form: {
    usage: "form",
    does: "asks a person to fill in a form, then says what came back",
    takes: nothing,
    act: Showing.askForm
  },
  commands: {
    usage: "commands",
    does: "lists its slash commands, as real agents do at the beginning",
    takes: nothing,
    act: Showing.listCommands
  },
  plan: {
    usage: "plan",
    does: "sends a plan, whose steps are done one after the other",
    takes: nothing,
    act: Showing.showPlan
  },
  slow: {
    usage: "slow [n] [ms]",
    does: "streams n words (20), one each ms milliseconds (50); 0 ms is as fast as the pipe takes them",
    takes: /^(\d{0,7})(?: (\d{1,6}))?$/,
    act: (turn, [, n, ms]) => stream(turn, Number(n || 20), Number(ms ?? 50))
  },
  think: {
    usage: "think",
    does: "sends a thought before the answer",
    takes: nothing,
    act: (turn) =>
      turn.update({ sessionUpdate: "agent_thought_chunk", content: text("Let me think."), messageId: turn.messageId })
  },
  ask: {
    usage: "ask [kind]",
    does: "asks for permission for a tool of this kind (execute), then says what was decided",
    takes: /^(read|edit|delete|move|search|execute|think|fetch|other|)$/,
    act: (turn, [, kind]) => askPermission(turn, kind || "execute")
  },
  tool: {
    usage: "tool <command>",
    does: "runs a shell command as a tool call; in mode `ask` it asks first",
    takes: /^(.+)$/,
    // Loaded on use, because most processes of this agent never run a command, and start faster without it.
    act: async (turn, [, command]) => (await import("./shell.ts")).runTool(turn, command ?? "")
  },
  "ask-tool": {
    usage: "ask-tool <command>",
    does: "the same, and asks first in any mode",
    takes: /^(.+)$/,
    act: async (turn, [, command]) => (await import("./shell.ts")).runTool(turn, command ?? "", true)
  },
  orphan: {
    usage: "orphan",
    does: "leaves a sleeping process in a session of its own behind, and tells its pid",
    takes: nothing,
    act: async (turn) => turn.sayParagraph(`Left behind: pid ${(await import("./shell.ts")).leaveOrphan()}`)
  },
  hang: {
    usage: "hang [hard]",
    does: "never ends the turn; `hard` also ignores cancel, SIGTERM, SIGINT, SIGHUP and the end of stdin",
    takes: /^(hard|)$/,
    act: (turn, [, hard]) => hang(turn, hard === "hard")
  },
  crash: {
    usage: "crash [code]",
    does: "exits in the middle of the turn (1)",
    takes: number,
    act: async (turn, [, code]) => {
      turn.sayParagraph("About to crash.")
      await flushed()
      exit(code)
    }
  },
  "exit-after": {
    usage: "exit-after [code]",
    does: "exits when the turn has ended (1)",
    takes: number,
    act: (turn, [, code]) => {
      turn.afterwards.push(async () => exit(code))
    }
  },
  late: {
    usage: "late [ms]",
    does: "ends the turn with a tool call open, which completes ms milliseconds later (100)",
    takes: number,
    act: (turn, [, ms]) => late(turn, Number(ms || 100))
  },
  garbage: {
    usage: "garbage",
    does: "writes lines that are no messages, one of them not even UTF-8",
    takes: nothing,
    act: async () => {
      put('this is no JSON\n[1,2,3]\n"text"\nnull\n{}\n{"jsonrpc":"2.0","id":987654321,"result":null}\n\n')
      await flushed()
      process.stdout.write(Buffer.from([0xff, 0xfe, 0x7b, 0x0a]))
    }
  },
  big: {
    usage: "big <kB>",
    does: "says so many kilobytes in one message of one line",
    takes: /^(\d{1,5})$/,
    act: (turn, [, kB]) => turn.sayParagraph("x".repeat(1024 * Number(kB)))
  },
  fail: {
    usage: "fail auth|quota|model",
    does: "fails the turn as real agents do, typed where the client opted in",
    takes: /^(auth|quota|model)$/,
    act: (turn, [, how]) => fail(turn, how as FailureKind)
  },
  refuse: {
    usage: "refuse",
    does: "ends the turn with the stop reason `refusal`",
    takes: nothing,
    act: (turn) => {
      turn.stopReason = "refusal"
      turn.sayParagraph("I would rather not.")
    }
  }
}

/** Performs a prompt. Throws a `Fault` where the turn ends in an error, the signal's reason where it was cancelled. */
export const perform = async (turn: Turn, prompt: string): Promise<void> => {
  const echo: Array<string> = []
  let performed = false
  for (const line of prompt.split("\n")) {
    const trimmed = line.trim()
    const blank = trimmed.indexOf(" ")
    // Also as a slash command, such as `/help`.
    const name = (blank === -1 ? trimmed : trimmed.slice(0, blank)).replace(/^\//, "")
    const directive = Object.hasOwn(table, name) ? table[name] : undefined
    const argument = directive?.takes.exec(blank === -1 ? "" : trimmed.slice(blank + 1).trim())
    if (directive === undefined || argument === undefined || argument === null) {
      if (trimmed !== "") echo.push(line)
      continue
    }
    performed = true
    try {
      await directive.act(turn, argument)
    } catch (cause) {
      if (cause === steered) return
      throw cause
    }
    turn.signal.throwIfAborted()
  }
  const number = `(turn ${turn.session.turns})`
  if (echo.length > 0) turn.sayParagraph(`You said: ${echo.join("\n")} ${number}`)
  else if (turn.answer === "" && turn.meta === null)
    turn.sayParagraph(performed ? `Done ${number}` : `You said nothing ${number}`)
}

const help = () =>
  Object.values(table)
    .map(({ does, usage }) => `${usage.padEnd(22)} ${does}`)
    .join("\n")

const earlier = (session: Session) =>
  session.history
    .filter(({ role }) => role !== "agent")
    .slice(0, -1)
    .map(({ text }) => text)

const stream = async (turn: Turn, count: number, millis: number) => {
  for (let i = 1; i <= count; i++) {
    turn.say(`word${i} `)
    if (millis > 0) await turn.wait(millis)
    else if (i % 256 === 0) {
      await flushed()
      turn.signal.throwIfAborted()
    }
  }
}

const askPermission = async (turn: Turn, kind: string) => {
  const toolCallId = turn.nextCallId()
  const title = `Demo tool of kind ${kind}`
  const details = { rawInput: {}, locations: [{ path: "demo.txt" }] }
  turn.update({ sessionUpdate: "tool_call", toolCallId, kind, title, status: "pending", ...details, content: [] })
  const decision = await turn.requestPermission(toolCallId, kind, title, details)
  const status = decision.startsWith("allow") ? "completed" : "failed"
  turn.update({ sessionUpdate: "tool_call_update", toolCallId, status })
  turn.sayParagraph(`The client said: ${decision}`)
}

const hang = async (turn: Turn, hard: boolean) => {
  turn.sayParagraph("Hanging.")
  if (hard) unresponsive = true
  // A timer, which keeps the process running when its stdin has ended.
  while (true) await turn.wait(60_000)
}

/** After `hang hard` neither a cancel nor a signal nor the end of stdin ends this process. */
let unresponsive = false
export const isUnresponsive = (): boolean => unresponsive

const exit = (code: string | undefined) => {
  process.stderr.write("troupe-demo: exits as it was asked to\n")
  process.exit(Number(code || 1))
}
