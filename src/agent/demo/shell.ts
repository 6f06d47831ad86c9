/**
 * Runs the commands of the demo agent's turns. As with real agents, a command has a session of its own, so a kill of the
 * agent's process group does not reach it. A cancelled turn and an orderly exit of the agent end it; a SIGKILL of the
 * agent does not.
 */
import { spawn } from "node:child_process"
import type { Turn } from "./turn.ts"
import { text } from "./wire.ts"
import { cutStart } from "../../domain/cut.ts"

/** Of longer output the beginning is cut. */
const maxOutputCharacters = 64 * 1024

/** A process that was left behind on purpose ends by itself after this time. */
const orphanSeconds = 600

const running = new Set<number>()

const kill = (group: number) => {
  try {
    process.kill(-group, "SIGKILL")
  } catch {
    // It is gone already.
  }
}

process.on("exit", () => {
  for (const group of running) kill(group)
})

export const runTool = async (turn: Turn, command: string, asksFirst = turn.session.mode === "ask"): Promise<void> => {
  const toolCallId = turn.nextCallId()
  const call = { toolCallId, kind: "execute", name: "shell", title: command, rawInput: { command } }
  turn.update({ sessionUpdate: "tool_call", ...call, status: "pending", content: [] })
  if (turn.session.mode === "plan") {
    turn.update({ sessionUpdate: "tool_call_update", toolCallId, status: "failed", content: content("Not run: plan") })
    return turn.sayParagraph(`In plan mode the command is not run: ${command}`)
  }
  if (asksFirst) {
    const decision = await turn.requestPermission(toolCallId, "execute", command, { rawInput: { command } })
    if (!decision.startsWith("allow")) {
      turn.update({
        sessionUpdate: "tool_call_update",
        toolCallId,
        status: "failed",
        content: content(`Not run: ${decision}`)
      })
      return turn.sayParagraph(`The command was not run: the client said ${decision}.`)
    }
  }
  turn.update({ sessionUpdate: "tool_call_update", toolCallId, status: "in_progress" })
  const { code, output } = await run(turn, command, (output) =>
    turn.update({ sessionUpdate: "tool_call_update", toolCallId, content: content(output) })
  )
  const status = code === 0 ? "completed" : "failed"
  turn.update({
    sessionUpdate: "tool_call_update",
    toolCallId,
    status,
    rawOutput: output,
    content: content(output),
    // As claude-agent-acp and codex-acp report it.
    ...(typeof code === "number" ? { _meta: { terminal_exit: { exit_code: code, signal: null } } } : {})
  })
  turn.signal.throwIfAborted()
  turn.sayParagraph(code === 0 ? `The command printed:\n${output}` : `The command ended with ${code}:\n${output}`)
}

const run = (turn: Turn, command: string, onOutput: (output: string) => void) =>
  new Promise<{ readonly code: number | string; readonly output: string }>((resolve) => {
    const child = spawn("/bin/sh", ["-c", command], {
      cwd: turn.session.cwd,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"]
    })
    let output = ""
    const stop = () => {
      if (child.pid !== undefined) kill(child.pid)
    }
    const end = (code: number | string) => {
      turn.signal.removeEventListener("abort", stop)
      if (child.pid !== undefined) running.delete(child.pid)
      resolve({ code, output })
    }
    if (child.pid !== undefined) running.add(child.pid)
    turn.signal.addEventListener("abort", stop, { once: true })
    for (const pipe of [child.stdout, child.stderr]) {
      pipe.setEncoding("utf8").on("data", (chunk: string) => {
        output = cutStart(output + chunk, maxOutputCharacters)
        onOutput(output)
      })
    }
    child.on("error", (error) => end(error.message))
    // 'exit', not 'close', because a grandchild may hold the pipe for any time.
    child.on("exit", (code, signal) => setImmediate(() => end(code ?? signal ?? "no code")))
  })

/** Leaves a process behind that no signal to a group reaches, and gives its pid. */
export const leaveOrphan = (): number | undefined => {
  const child = spawn("sleep", [String(orphanSeconds)], { detached: true, stdio: "ignore" })
  child.unref()
  return child.pid
}

const content = (words: string) => [{ type: "content", content: text(words) }]
