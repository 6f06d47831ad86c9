/** Scripts for `fixtures/agents/acp-script.ts`: what an ACP agent is to do, step by step. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { Effect } from "effect"
import type { OpenRequest } from "../../src/agent/Agent.ts"
import * as Acp from "../../src/agent/acp/driver.ts"
import type { AgentSpec } from "../../src/domain/Settings.ts"
import { connect } from "./acp.agent.ts"
import { fixture } from "./child.ts"

/** Of another session where `sessionId` is given, such as a sub-agent's. */
export type Step =
  | { readonly update: Readonly<Record<string, unknown>>; readonly sessionId?: string }
  /** Asks for permission for this tool call, and waits for the answer. */
  | { readonly ask: Readonly<Record<string, unknown>>; readonly sessionId?: string }
  /** The reply to the prompt. */
  | { readonly result: unknown }
  | { readonly error: unknown }
  /** All in one write. */
  | { readonly together: ReadonlyArray<Step> }
  /** Waits until this file exists. */
  | { readonly until: string }

export interface Script {
  readonly initialize?: Readonly<Record<string, unknown>>
  /** By method; the last one is repeated. `silent`: there is no reply. */
  readonly replies?: Readonly<Record<string, ReadonlyArray<{ result?: unknown; error?: unknown } | "silent">>>
  readonly thread?: string
  readonly turns?: ReadonlyArray<ReadonlyArray<Step>>
  readonly log?: string
}

export const end: Step = { result: { stopReason: "end_turn" } }
export const chunk = (text: string, more: Readonly<Record<string, unknown>> = {}): Step => ({
  update: { sessionUpdate: "agent_message_chunk", content: { type: "text", text }, ...more }
})
export const tool = (toolCallId: string, status: string, more: Readonly<Record<string, unknown>> = {}): Step => ({
  update: { sessionUpdate: "tool_call", toolCallId, status, ...more }
})
export const toolUpdate = (toolCallId: string, status: string, more: Readonly<Record<string, unknown>> = {}): Step => ({
  update: { sessionUpdate: "tool_call_update", toolCallId, status, ...more }
})

/** A directory of a script's files, removed by `remove`. */
export const scriptFolder = () => {
  const folder = mkdtempSync(join(tmpdir(), "troupe-script-"))
  const log = join(folder, "log")
  return {
    /** The path of a file for which the agent waits; `touch` makes it. */
    signal: (name: string) => join(folder, name),
    touch: (name: string) => writeFileSync(join(folder, name), ""),
    /** What launches the agent. */
    command: (script: Script): readonly [string, ...ReadonlyArray<string>] => {
      const path = join(folder, "script.json")
      writeFileSync(path, JSON.stringify({ log, ...script }))
      return [process.execPath, fixture("acp-script"), path]
    },
    /** The requests of the client, and its answers, in their order. */
    received: () =>
      readFileSync(log, "utf8")
        .split("\n")
        .filter((line) => line !== "")
        .map((line) => JSON.parse(line) as { method?: string; params?: unknown; answer?: unknown }),
    remove: () => rmSync(folder, { recursive: true, force: true })
  }
}

export type ScriptFolder = ReturnType<typeof scriptFolder>

/** A connection to a scripted agent, with the folder of its files. */
export const scripted = Effect.fnUntraced(function* (
  script: Script | ((folder: ScriptFolder) => Script),
  changes: Partial<OpenRequest> = {},
  spec: Partial<AgentSpec> = {}
) {
  const folder = yield* Effect.acquireRelease(Effect.sync(scriptFolder), ({ remove }) => Effect.sync(remove))
  const command = folder.command(typeof script === "function" ? script(folder) : script)
  const env = { PATH: process.env["PATH"] ?? "", ...spec.env }
  const driver = yield* Acp.make({ name: "scripted", command, env }, spec)
  return { ...(yield* connect(driver, changes)), folder }
})
