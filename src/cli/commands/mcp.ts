/**
 * `troupe mcp`: Troupe as an MCP server on stdin and stdout, for hosts that start their servers: Claude Code, codex, Claude
 * Desktop, VS Code.
 *
 * Its sessions are on the server that is named, on the one that runs on the data dir, or in this process, as those of
 * `troupe chat` are (`place.ts`). stdout has the protocol and nothing else.
 */
import { Effect, Option, Redacted } from "effect"
import { Command, Flag } from "effect/cli"
import { resolve } from "node:path"
import type { Backend } from "../../backend/Backend.ts"
import * as EmbeddedBackend from "../../backend/embeddedBackend.ts"
import type { BackendServices } from "../../backend/embeddedBackend.ts"
import * as RemoteBackend from "../../backend/remoteBackend.ts"
import { promisesOf } from "../../backend/runPromises.ts"
import { troupeError } from "../../backend/TroupeError.ts"
import { PermissionPolicy } from "../../domain/Permissions.ts"
import type { Defaults } from "../../doors/mcp/server.ts"
import { serveStdio } from "../../doors/mcp/stdio.ts"
import { Operator } from "../../services/Operator.ts"
import { placeOf } from "../place.ts"
import type { Place } from "../place.ts"
import { asCommandFailed } from "../failures.ts"
import * as Logging from "../logging.ts"
import * as RuntimeHere from "../runtimeHere.ts"
import { serverFlags } from "../server.ts"
import { note } from "../terminal.ts"

/** The time in which turns in this process may finish when the host has gone. */
const drainMillis = 5_000

export const mcpCommand = Command.make(
  "mcp",
  {
    agent: Flag.String("agent").pipe(
      Flag.withDescription("The agent of sessions that name none; else the default one"),
      Flag.optional
    ),
    permissions: Flag.Literals("permissions", PermissionPolicy.literals).pipe(
      Flag.withDescription("What agents may do unasked where a call says nothing else (docs/permissions.md)"),
      Flag.withDefault("ask" as const)
    ),
    cwd: Flag.String("cwd").pipe(
      Flag.withDescription(
        "Where sessions work that name no directory; else here, or with --url in a fresh one of the server's"
      ),
      Flag.optional
    ),
    ...serverFlags
  },
  Effect.fn(function* ({ agent, cwd, permissions, ...flags }) {
    const here = resolve(Option.getOrElse(cwd, () => "."))
    const place = yield* placeOf(flags, here, "mcp")
    const isLocal = place._tag === "Here" || place.isLocal
    const defaults: Defaults = {
      agent: Option.getOrUndefined(agent),
      permissions,
      cwd: isLocal ? here : Option.getOrUndefined(cwd)
    }
    yield* place._tag === "Here" ? inThisProcess(place, defaults) : onServer(place, defaults)
  })
).pipe(
  Command.withDescription("Serve agents to an MCP host, on stdin and stdout"),
  Command.withExamples([
    { command: "claude mcp add troupe -- troupe mcp", description: "For Claude Code; docs/mcp.md has other hosts" },
    { command: "troupe mcp --url http://10.0.0.5:8420", description: "On a server, with a token in TROUPE_TOKEN" }
  ])
)

const onServer = ({ server }: Extract<Place, { readonly _tag: "Server" }>, defaults: Defaults) =>
  Effect.acquireUseRelease(
    Effect.tryPromise({
      try: () => RemoteBackend.open({ url: server.url, token: Redacted.value(server.token) }),
      catch: asCommandFailed
    }),
    (backend) => serve(backend, defaults),
    (backend) => Effect.promise(() => backend.close())
  )

/** The app that owns the sessions: none of the data dir has this name, unless somebody chooses it. */
const app = "mcp"

const inThisProcess = (place: RuntimeHere.Here, defaults: Defaults) =>
  Effect.gen(function* () {
    const services = yield* Effect.context<BackendServices>()
    const promises = promisesOf(Effect.runPromiseExitWith(services), services, troupeError)
    const caller = { _tag: "App", app: EmbeddedBackend.appNamed(app) } as const
    const { drain } = yield* Operator
    yield* serve(EmbeddedBackend.make({ ...promises, close: () => Promise.resolve() }, caller), defaults)
    yield* Effect.ignore(drain(drainMillis))
  }).pipe(
    Effect.provide(RuntimeHere.layer(place)),
    Effect.catchTag("LedgerUnusable", (error) => Effect.fail(RuntimeHere.unusable(error, besideOthers))),
    Effect.provide(Logging.quiet)
  )

const besideOthers =
  "Several hosts share what troupe serve runs on: start it here, or name another by --url and TROUPE_TOKEN."

/** Until the host closes stdin. */
const serve = (backend: Backend, defaults: Defaults) =>
  Effect.acquireUseRelease(
    Effect.tryPromise({
      try: () => serveStdio(backend, defaults, ({ message }) => Effect.runSync(note(message))),
      catch: asCommandFailed
    }),
    ({ ended }) => Effect.promise(() => ended),
    ({ close }) => Effect.promise(() => close())
  )
