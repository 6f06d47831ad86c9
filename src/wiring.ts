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
import { UsageReport } from "./services/UsageReport.ts"
import { Agents } from "./agent/Agents.ts"
import { OneShot } from "./agent/OneShot.ts"
import { Processes } from "./agent/Processes.ts"
import * as DataDir from "./dataDir.ts"
import type { Settings } from "./domain/Settings.ts"
import type { Ledger, LedgerUnusable } from "./ledger/Ledger.ts"
import * as SqliteLedger from "./ledger/SqliteLedger.ts"
import * as Damage from "./ledger/sqlite/damage.ts"
import * as DataDirLock from "./ledger/sqlite/dataDirLock.ts"

export type { ReviewOptions } from "./review/ReviewOptions.ts"
export type { ReviewRequest } from "./review/ReviewRequest.ts"

export interface RuntimeOptions {
  /** `None`: the one that is stored in the data dir, made where there is none yet. */
  readonly adminToken: Option.Option<Redacted.Redacted<string>>
  readonly reviews?: ReviewOptions
}

/** The ledger's driver is chosen here, and no other module names it. */
export const ledgerLayer: (
  location: string,
  options?: { readonly patienceMillis?: number }
) => Layer.Layer<Ledger, LedgerUnusable> = SqliteLedger.layer

/** The first problem in a ledger's file, in the database's own words; `null`: none, or no file. It reads the whole file. */
export const ledgerDamage: (location: string) => Effect.Effect<string | null> = Damage.find

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
      const dataDir = yield* DataDir.open(settings.dataDir)
      // Before anything in it is read: another Troupe may be working on it.
      if (dataDir.ledger !== ":memory:") yield* DataDirLock.hold(dataDir.path)
      const adminToken = yield* Option.match(options.adminToken, {
        onNone: () => DataDir.adminToken(dataDir),
        onSome: Effect.succeed
      })
      return services({ ...settings, dataDir: dataDir.path }, dataDir.ledger, adminToken, options.reviews)
    })
  )

/** `settings.dataDir` is a real directory here, also where `:memory:` was asked for. */
const services = (settings: Settings, ledger: string, adminToken: Redacted.Redacted<string>, reviews?: ReviewOptions) =>
  Layer.mergeAll(
    AgentDirectory.layer,
    Apps.layer({ adminToken }),
    Idempotency.layer,
    Inspection.layer,
    OneShotRuns.layer,
    ReviewResults.layer,
    Threads.layer,
    UsageReport.layer
  ).pipe(
    Layer.provideMerge(SessionServices.layer),
    Layer.provideMerge(Reviews.layer(reviews)),
    Layer.provideMerge(Layer.mergeAll(Files.layer, Agents.layer(settings), OneShot.layer(settings.run))),
    Layer.provideMerge(
      Layer.mergeAll(
        Layer.succeed(RuntimeSettings, settings),
        ledgerLayer(ledger, { patienceMillis: settings.limits.ledgerPatienceMillis }),
        Processes.layer,
        SuspensionWatch.layer,
        NodeServices.layer
      )
    )
  )
