/**
 * `troupe acp`: Troupe as an agent of the Agent Client Protocol over stdio, as editors start agents. On a server that `--url`
 * names or that runs on the data dir, else with the runtime in this process.
 *
 * stdout is the protocol's alone. When the editor is gone, its sessions go on: on a server as if nothing had been; here the turns
 * that run may finish, and the sessions are taken up by whoever opens the data dir next.
 */
import { Context, Effect, Layer, Redacted, Schedule } from "effect"
import { Command, Flag } from "effect/cli"
import { open } from "../../backend/remoteBackend.ts"
import type { Backend } from "../../backend/Backend.ts"
import { Backends } from "../../doors/Backends.ts"
import type { Defaults } from "../../doors/acp/requests.ts"
import { serveStdio } from "../../doors/acp/stdio.ts"
import { PermissionPolicy } from "../../domain/Permissions.ts"
import { Operator } from "../../services/Operator.ts"
import { placeOf } from "../place.ts"
import { asCommandFailed } from "../failures.ts"
import * as Logging from "../logging.ts"
import * as RuntimeHere from "../runtimeHere.ts"
import { serverFlags } from "../server.ts"
import type { Server } from "../server.ts"
import { given, sessionFlags } from "../sessionFlags.ts"

/** How long turns may finish when the editor is gone and they run in this process. */
const drainMillis = 20_000
/** How long a data dir is waited for that another Troupe holds: the one of the editor before may still drain. */
const heldForAttempts = 25
const heldPause = "1 second"
/** Of a line: an image in base64, and what is said about it. */
const maxMessageBytes = 32 * 1024 * 1024

const { agent, effort, mode, model } = sessionFlags

export const acpCommand = Command.make(
  "acp",
  {
    agent,
    effort,
    mode,
    model,
    permissions: Flag.Literals("permissions", PermissionPolicy.literals).pipe(
      Flag.withDescription("What an agent may do unasked (docs/permissions.md); the editor is asked for the rest"),
      Flag.withDefault("ask" as const)
    ),
    ...serverFlags
  },
  Effect.fn(function* ({ config, dataDir, permissions, token, url, ...flags }) {
    const defaults: Defaults = { ...given(flags), permissions }
    const place = yield* placeOf({ config, dataDir, token, url }, process.cwd(), "acp")
    yield* (place._tag === "Here" ? here(place, defaults) : there(place.server, defaults)).pipe(
      Effect.provide(Logging.layer({ logFormat: "pretty", logLevel: "warn" }))
    )
  })
).pipe(
  Command.withDescription("Serve editors by the Agent Client Protocol, on stdin and stdout"),
  Command.withExamples([
    { command: "troupe acp --agent codex", description: "As an editor starts it (docs/acp.md)" },
    {
      command: "troupe acp --url http://10.0.0.5:8420",
      description: "Sessions of a server, with a token in TROUPE_TOKEN"
    }
  ])
)

const besideOthers =
  "Several editors share what troupe serve runs on: start it on this data dir, or name another by --url and TROUPE_TOKEN."

const serve = (backend: Backend, defaults: Defaults) =>
  Effect.gen(function* () {
    const runFork = Effect.runForkWith(yield* Effect.context<never>())
    const note = (line: string) => void runFork(Effect.logWarning(line))
    const { stdin: input, stdout: output } = process
    yield* Effect.tryPromise({
      try: (signal) => serveStdio({ backend, defaults, note, input, output, maxMessageBytes, signal }),
      catch: asCommandFailed
    })
  })

const there = ({ token, url }: Server, defaults: Defaults) =>
  Effect.acquireUseRelease(
    Effect.tryPromise({ try: () => open({ url, token: Redacted.value(token) }), catch: asCommandFailed }),
    (backend) => serve(backend, defaults),
    (backend) => Effect.promise(() => backend.close())
  )

const here = Effect.fnUntraced(function* (place: RuntimeHere.Here, defaults: Defaults) {
  const scope = yield* Effect.scope
  const runtime = Layer.buildWithScope(RuntimeHere.layer(place), scope)
  const services = yield* Effect.retry(runtime, {
    times: heldForAttempts,
    schedule: Schedule.spaced(heldPause),
    while: (error) => error._tag === "LedgerUnusable" && RuntimeHere.isHeld(error)
  }).pipe(
    Effect.mapError((error) =>
      error._tag === "LedgerUnusable" && RuntimeHere.isHeld(error)
        ? RuntimeHere.unusable(error, besideOthers)
        : asCommandFailed(error)
    )
  )
  const { drain } = Context.get(services, Operator)
  const backends = yield* Layer.buildWithScope(
    Backends.layer.pipe(Layer.provide(Layer.succeedContext(services))),
    scope
  )
  // Who may read the data dir may go on with any session in it.
  const backend = Context.get(backends, Backends).of({ _tag: "Admin" }, {})
  yield* Effect.ensuring(serve(backend, defaults), drain(drainMillis))
}, Effect.scoped)
