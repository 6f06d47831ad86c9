#!/usr/bin/env node
/**
 * The demo agent: an ACP agent (protocol version 1, over stdio) that needs no account and misbehaves on request.
 *
 * It serves the quick start, the dashboard, users' own tests and benchmarks. It echoes the prompt, with the turn's number.
 * A prompt can make it do more: see directives.ts, or send `help`. Its environment variables:
 *
 *   TROUPE_DEMO_STATE   a directory for its sessions, so that they outlive the process; unset: memory only
 *   TROUPE_DEMO_START   `crash`: exits at once · `hang`: never answers · `slow <ms>`: answers that much later
 *                       `auth`: no session without a login · `forget`: knows no session of an earlier process
 *
 * Imports nothing but Node's own modules, so that it starts in the time that Node needs.
 */
import { setTimeout as sleep } from "node:timers/promises"
import * as Lines from "../Lines.ts"
import { isUnresponsive, perform } from "./directives.ts"
import * as Memory from "./memory.ts"
import * as Content from "./content.ts"
import * as Opening from "./opening.ts"
import { sendError } from "./opening.ts"
import type { Params } from "./opening.ts"
import { Turn } from "./turn.ts"
import { version } from "./version.ts"
import { onReply, codes, Fault, send, flushed } from "./wire.ts"
import type { Reply } from "./wire.ts"

const [start = "", startMillis = ""] = (process.env["TROUPE_DEMO_START"] ?? "").split(" ")

type Message = {
  readonly jsonrpc?: unknown
  readonly id?: unknown
  readonly method?: unknown
  readonly params?: Params
} & Reply

let initialized = false
const client = { typedFailures: false, takesForms: false }

const initialize = (params: Params) => {
  if (initialized) throw new Fault(codes.invalidRequest, "initialize was called before")
  if (!Number.isInteger(params["protocolVersion"])) throw new Fault(codes.invalidParams, "protocolVersion is a number")
  initialized = true
  // By this extension a client of the real adapters, too, requests typed failures.
  const capabilities = params["clientCapabilities"] as
    | {
        readonly elicitation?: { readonly form?: unknown }
        readonly _meta?: { readonly jetbrains?: { readonly air?: { readonly capabilities?: unknown } } }
      }
    | undefined
  const offered = capabilities?._meta?.jetbrains?.air?.capabilities
  client.typedFailures = Array.isArray(offered) && offered.includes("sessionFailure")
  client.takesForms = (capabilities?.elicitation?.form ?? null) !== null
  return {
    protocolVersion: 1,
    agentCapabilities: {
      loadSession: true,
      promptCapabilities: { image: true, audio: false, embeddedContext: true },
      mcpCapabilities: { http: true, sse: true },
      sessionCapabilities: { additionalDirectories: {}, close: {}, fork: {}, list: {}, resume: {}, systemPrompt: {} }
    },
    agentInfo: { name: "troupe-demo", title: "Demo", version },
    authMethods: [],
    _meta: { steering: { supported: true } }
  }
}

const cancel = (params: Params) => {
  if (!isUnresponsive()) Memory.find(params["sessionId"]).running?.cancel()
}

const close = (params: Params) => {
  cancel(params)
  Memory.forget(Memory.find(params["sessionId"]))
  return {}
}

/** As in both real adapters, for a client that sends `idleBehavior`. */
const steer = (params: Params) => {
  const session = Memory.find(params["sessionId"])
  const blocks = params["prompt"]
  if (!Array.isArray(blocks)) throw new Fault(codes.invalidParams, "prompt is an array of content blocks")
  const words = Content.textIn(blocks)
  if (words === "") throw new Fault(codes.invalidParams, "prompt must hold text")
  if (session.running === null || session.running.signal.aborted || isUnresponsive()) {
    return { outcome: "promptRequired", reason: "noRunningTurn" }
  }
  Memory.remember(session, { role: "steer", text: words })
  session.running.steer(words)
  return { outcome: "injected" }
}

const prompt = async (id: unknown, params: Params): Promise<void> => {
  const session = Memory.find(params["sessionId"])
  const blocks = params["prompt"]
  if (!Array.isArray(blocks)) throw new Fault(codes.invalidParams, "prompt is an array of content blocks")
  if (session.running !== null) throw new Fault(codes.invalidRequest, "A turn is running in this session")
  const words = Content.textIn(blocks)
  const { traceparent } = (params["_meta"] ?? {}) as { readonly traceparent?: unknown }
  const turn = new Turn(session, client, typeof traceparent === "string" ? traceparent : "")
  session.running = turn
  try {
    Memory.remember(session, { role: "user", text: words })
    const received = Content.received(blocks)
    if (received.length > 0) turn.sayParagraph(`You gave me ${received.join("; ")}.`)
    for (let next: string | undefined = words; next !== undefined; next = turn.takeSteering()) {
      await perform(turn, next)
    }
  } catch (cause) {
    if (!turn.signal.aborted) throw cause
  } finally {
    session.running = null
    if (turn.answer !== "") Memory.remember(session, { role: "agent", text: turn.answer })
  }
  turn.reply(id, words)
  if (turn.afterwards.length > 0) await flushed()
  for (const act of turn.afterwards) await act()
}

const requests: Readonly<Record<string, (params: Params) => unknown>> = {
  ...Opening.requests({ refusesLogin: start === "auth", forgets: start === "forget" }),
  initialize,
  "session/close": close,
  "_session/steering": steer
}

const handle = (message: Message): void => {
  const { id, method } = message
  const params = message.params ?? {}
  if (typeof method !== "string") return onReply(id, message)
  if (id === undefined) {
    try {
      if (method === "session/cancel") cancel(params)
    } catch {
      // A notification has no reply, and an unknown session has nothing to cancel.
    }
    return
  }
  try {
    if (!initialized && method !== "initialize") throw new Fault(codes.invalidRequest, "initialize comes first")
    if (method === "session/prompt") return void prompt(id, params).catch((cause: unknown) => sendError(id, cause))
    const answer = Object.hasOwn(requests, method) ? requests[method] : undefined
    if (answer === undefined) throw new Fault(codes.methodNotFound, `"Method not found": ${method}`)
    send({ id, result: answer(params) })
  } catch (cause) {
    sendError(id, cause)
  }
}

const onLine = (line: string): void => {
  let message: unknown
  try {
    message = JSON.parse(line)
  } catch {
    return sendError(null, new Fault(codes.parseError, "Parse error"))
  }
  const object = typeof message === "object" && message !== null && !Array.isArray(message)
  if (!object || (message as Message).jsonrpc !== "2.0") {
    return sendError(null, new Fault(codes.invalidRequest, "Invalid request: one JSON-RPC 2.0 object a line"))
  }
  return handle(message as Message)
}

const listen = () => {
  const lines = Lines.make()
  process.stdin.on("data", (chunk: Buffer) => {
    for (const line of lines.push(chunk)) onLine(line)
  })
  process.stdin.on("end", () => {
    if (!isUnresponsive()) void flushed().then(() => process.exit(0))
  })
  // The client has closed the pipe.
  process.stdout.on("error", () => {
    if (!isUnresponsive()) process.exit(0)
  })
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) {
    process.on(signal, () => {
      // By `exit`, so that its commands are ended, too.
      if (!isUnresponsive()) process.exit(0)
    })
  }
}

if (process.argv.includes("--version")) {
  process.stdout.write(`troupe-demo ${version}\n`)
} else if (start === "crash") {
  process.stderr.write("troupe-demo: crashes at its start, as TROUPE_DEMO_START says\n")
  process.exitCode = 1
} else if (start === "hang") {
  process.stdin.resume()
} else {
  if (start === "slow") await sleep(Number(startMillis) || 1_000)
  listen()
}
