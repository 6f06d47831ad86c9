/** The real ACP adapters behind the driver alone, without a running Troupe: what reaches the model, and what comes back. */
import { Effect } from "effect"
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { delimiter, dirname, join } from "node:path"
import * as Acp from "../../../src/agent/acp/driver.ts"
import type { OpenRequest } from "../../../src/agent/Agent.ts"
import type { PromptBlock } from "../../../src/domain/PromptContent.ts"
import type { TurnSettings } from "../../../src/domain/Turn.ts"
import { connect } from "../../agent/acp.agent.ts"
import * as Model from "../models/Model.ts"
import { codexConfig } from "./Installation.ts"

const real = join(import.meta.dirname, "..")

export type Adapter = "claude-agent-acp" | "codex-acp"

/** A home of its own, and its model. Sessions that are opened from it know each other. */
export const home = Effect.fnUntraced(function* (adapter: Adapter) {
  const directory = yield* Effect.acquireRelease(
    Effect.sync(() => mkdtempSync(join(tmpdir(), "tr-"))),
    (directory) =>
      Effect.sync(() => rmSync(directory, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }))
  )
  const at = (name: string) => join(directory, name)
  const model = yield* Model.start
  for (const name of ["home", "tmp", "work", "codex"]) mkdirSync(at(name))
  cpSync(join(real, "models", "models.json"), at("codex/models.json"))
  writeFileSync(at("codex/config.toml"), codexConfig(at("codex"), model.port))
  const driver = yield* Acp.make({
    name: adapter,
    command: [adapter],
    env: {
      PATH: [join(real, "node_modules", ".bin"), dirname(process.execPath), process.env["PATH"]].join(delimiter),
      HOME: at("home"),
      TMPDIR: at("tmp"),
      CODEX_HOME: at("codex"),
      ANTHROPIC_BASE_URL: `http://127.0.0.1:${model.port}`,
      ANTHROPIC_API_KEY: "stand-in-key",
      OPENAI_API_KEY: "stand-in-key",
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      CLAUDE_CODE_MAX_RETRIES: "0",
      DISABLE_AUTOUPDATER: "1",
      IS_SANDBOX: "1"
    }
  })

  const open = Effect.fnUntraced(function* (changes: Partial<OpenRequest> = {}) {
    const session = yield* connect(driver, { cwd: at("work"), ...changes })
    const turn = Effect.fnUntraced(function* (
      index: number,
      text: string,
      settings: TurnSettings = {},
      blocks: ReadonlyArray<PromptBlock> = [{ type: "text", text }]
    ) {
      yield* session.connection.prompt(index, { text, blocks, settings })
      return yield* Effect.catchTag(session.ended(index), "TimeoutError", Effect.die)
    })
    return { ...session, turn }
  })

  /** The last request with tools whose last words are these: those about titles and the like have none. */
  const requestFor = (prompt: string) => {
    const request = model
      .asked()
      .findLast((asked) => asked.prompt === prompt && (asked.request["tools"] as Array<unknown> | undefined)?.length)
    if (request === undefined) throw new Error(`the model was never asked ${prompt}`)
    return request.request
  }

  /** Model and effort of that request. */
  const settingsFor = (prompt: string) => {
    const { model, output_config, reasoning } = requestFor(prompt) as {
      readonly model?: string
      readonly output_config?: { readonly effort?: string }
      readonly reasoning?: { readonly effort?: string }
    }
    return { model, effort: output_config?.effort ?? reasoning?.effort }
  }
  return { at, cwd: at("work"), driver, model, open, requestFor, settingsFor }
})
