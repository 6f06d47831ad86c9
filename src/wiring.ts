/**
 * The composition root: builds, from settings, the services that the server, the library and the command line call.
 *
 * Building the layer locks the data dir for this process, ends the processes that a dead supervisor left behind and
 * settles its turns; closing its scope retires every process.
 */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { Effect, Layer, Option } from "effect"
import type { Redacted } from "effect"
import type { SessionActorRefs } from "./services/SessionActorRefs.ts"
import * as SessionServices from "./services/layer.ts"
import { AgentDirectory } from "./services/AgentDirectory.ts"
import { Apps } from "./services/Apps.ts"
import { Files } from "./services/Files.ts"
import { Idempotency } from "./services/Idempotency.ts"
import { Inspection } from "./services/Inspection.ts"
import { Reviews } from "./review/Reviews.ts"
import type { ReviewOptions } from "./review/ReviewOptions.ts"
import { ReviewResults } from "./services/ReviewResults.ts"
import { OneShotRuns } from "./services/OneShotRuns.ts"
import type { Operator } from "./services/Operator.ts"
import { RuntimeSettings } from "./runtime/RuntimeSettings.ts"
import * as SuspensionWatch from "./runtime/suspensionWatch.ts"
import type { Sessions } from "./services/Sessions.ts"
import { Threads } from "./services/Threads.ts"
import * as AttentionWebhooks from "./services/attentionWebhooks.ts"
import * as FleetRecorder from "./services/fleetRecorder.ts"
import * as WebhookSender from "./services/WebhookSender.ts"
import { UsageReport } from "./services/UsageReport.ts"
import { Agents } from "./agent/Agents.ts"
import { OneShot } from "./agent/OneShot.ts"
import { Processes } from "./agent/Processes.ts"
import { Warden } from "./agent/Warden.ts"
import type { Parents } from "./agent/temporaryParents.ts"
import * as NodeClients from "./cluster/nodeClients.ts"
import * as DataDir from "./dataDir.ts"
import type { Settings } from "./domain/Settings.ts"
import { Ledger } from "./ledger/Ledger.ts"
import type { LedgerError, LedgerUnusable, NodeStatus } from "./ledger/Ledger.ts"
import * as PostgresLedger from "./ledger/PostgresLedger.ts"
import * as SqliteLedger from "./ledger/SqliteLedger.ts"
import * as Damage from "./ledger/sqlite/damage.ts"
import * as DataDirLock from "./ledger/sqlite/dataDirLock.ts"
import * as Temporary from "./temporary.ts"

export type { ReviewOptions } from "./review/ReviewOptions.ts"
export type { ReviewRequest } from "./review/ReviewRequest.ts"

export interface RuntimeOptions {
  /** `None`: the one that is stored in the data dir, made where there is none yet. */
  readonly adminToken: Option.Option<Redacted.Redacted<string>>
  /** A PostgreSQL database that keeps the ledger; else a file in the data dir does. All other files stay there. */
  readonly databaseUrl?: Redacted.Redacted<string> | undefined
  readonly reviews?: ReviewOptions
}

export interface LedgerOptions {
  readonly databaseUrl?: Redacted.Redacted<string> | undefined
  readonly patienceMillis?: number
  /** Whether it works on sessions alone, together with other nodes, or stores single records beside those that do. */
  readonly works?: "alone" | "together" | "beside"
}

/** The ledger's driver is chosen here, and no other module names it: without a URL it is that of the file. */
export const ledgerLayer = (
  file: string,
  { databaseUrl, ...options }: LedgerOptions = {}
): Layer.Layer<Ledger, LedgerUnusable> =>
  databaseUrl === undefined ? SqliteLedger.layer(file, options) : PostgresLedger.layer(databaseUrl, options)

/** Brings the ledger's schema up to date. Where it is, without a password, and the version that it has now. */
export const migrateLedger = (
  file: string,
  databaseUrl: Redacted.Redacted<string> | undefined
): Effect.Effect<{ readonly location: string; readonly version: number }, LedgerUnusable> =>
  databaseUrl === undefined
    ? Effect.map(SqliteLedger.migrate(file), (version) => ({ location: file, version }))
    : Effect.map(PostgresLedger.migrate(databaseUrl), (version) => ({
        location: PostgresLedger.locationOf(databaseUrl),
        version
      }))

/** What is read of a database, or written to it, while nodes work on it. */
export const besideNodes = <A, E>(
  databaseUrl: Redacted.Redacted<string>,
  act: Effect.Effect<A, E, Ledger>
): Effect.Effect<A, E | LedgerUnusable> => Effect.provide(act, PostgresLedger.layer(databaseUrl, { works: "beside" }))

/** The nodes that live on a database. */
export const nodesOn = (
  databaseUrl: Redacted.Redacted<string>
): Effect.Effect<ReadonlyArray<NodeStatus>, LedgerError | LedgerUnusable> =>
  besideNodes(
    databaseUrl,
    Ledger.use(({ nodeStatuses }) => Effect.map(nodeStatuses, (statuses) => statuses.filter(({ lives }) => lives)))
  )

/** What a PostgreSQL database is like for Troupe, and the nodes that live on it. Nothing in it is changed. */
export const examineDatabase = PostgresLedger.examine

export { clockInWords, isClockOff, mostClockMillis } from "./ledger/PostgresLedger.ts"
export type { DatabaseFacts } from "./ledger/PostgresLedger.ts"
export { seen as conversationHomes } from "./agent/conversationHomes.ts"
export type { ConversationHome } from "./agent/conversationHomes.ts"
export { sharedSettings } from "./cluster/sharedSettings.ts"
export type { SharedSettings } from "./cluster/sharedSettings.ts"

/** Asks a node at its address, as another node does, for its clock and its settings. */
export const examineNode = (url: string, secret: Redacted.Redacted<string>) =>
  Effect.gen(function* () {
    const client = yield* (yield* NodeClients.make(secret))(url)
    return yield* Effect.timeout(client.examine(), "5 seconds")
  }).pipe(Effect.scoped, Effect.provide(NodeClients.httpLayer))

/** The first problem in a ledger's file, in the database's own words; `null`: none, or no file. It reads the whole file. */
export const ledgerDamage: (location: string) => Effect.Effect<string | null> = Damage.find

/** A copy of a ledger's file while it is worked on, and what a file has in it. */
export { contentsOf as ledgerContents, copy as backupLedger } from "./ledger/sqlite/backup.ts"
export type { LedgerContents } from "./ledger/sqlite/backup.ts"

/** The services that the layer provides to its callers. */
export type PublicServices =
  | SessionActorRefs
  | AgentDirectory
  | Apps
  | Files
  | Idempotency
  | Inspection
  | ReviewResults
  | OneShotRuns
  | Operator
  | RuntimeSettings
  | Sessions
  | Threads
  | UsageReport

export const layer = (settings: Settings, options: RuntimeOptions) =>
  Layer.unwrap(
    Effect.gen(function* () {
      yield* Temporary.sweep
      const dataDir = yield* DataDir.open(settings.dataDir)
      // Before anything in it is read: another Troupe may be working on it.
      if (dataDir.ledger !== ":memory:") yield* DataDirLock.hold(dataDir.path)
      const adminToken = yield* Option.match(options.adminToken, {
        onNone: () => DataDir.adminToken(dataDir),
        onSome: Effect.succeed
      })
      const node = settings.node && { ...settings.node, place: yield* DataDir.place(dataDir) }
      const ledger = ledgerLayer(dataDir.ledger, {
        databaseUrl: options.databaseUrl,
        patienceMillis: settings.limits.ledgerPatienceMillis,
        works: settings.node === undefined ? "alone" : "together"
      })
      const known = { ...settings, ...(node === undefined ? {} : { node }), dataDir: dataDir.path }
      return services(known, ledger, adminToken, yield* Temporary.parents, options.reviews)
    })
  )

/** `settings.dataDir` is a real directory here, also where `:memory:` was asked for. */
const services = (
  settings: Settings,
  ledger: Layer.Layer<Ledger, LedgerUnusable>,
  adminToken: Redacted.Redacted<string>,
  temporary: Parents,
  reviews?: ReviewOptions
) =>
  Layer.mergeAll(
    AgentDirectory.layer,
    Apps.layer({ adminToken }),
    Layer.provide(AttentionWebhooks.layer, Inspection.layer),
    Idempotency.layer,
    Inspection.layer,
    OneShotRuns.layer,
    ReviewResults.layer,
    Threads.layer,
    UsageReport.layer
  ).pipe(
    Layer.provideMerge(SessionServices.layer),
    Layer.provideMerge(Reviews.layer(reviews)),
    Layer.provideMerge(Layer.merge(WebhookSender.layer, FleetRecorder.layer)),
    Layer.provideMerge(Layer.mergeAll(Files.layer, Agents.layer(settings), OneShot.layer(settings.run))),
    Layer.provideMerge(
      Layer.mergeAll(
        Layer.succeed(RuntimeSettings, settings),
        ledger,
        Layer.provide(Processes.layerNoDeps(temporary), Warden.layer),
        SuspensionWatch.layer,
        NodeServices.layer
      )
    )
  )
