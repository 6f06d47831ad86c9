/** The library's `Backend` for each caller of this process: what every door that is reached over HTTP stands on. */
import { Context, Effect, Layer } from "effect"
import * as EmbeddedBackend from "../backend/embeddedBackend.ts"
import type { BackendServices } from "../backend/embeddedBackend.ts"
import type { Backend } from "../backend/Backend.ts"
import { promisesOf } from "../backend/runPromises.ts"
import type { Promises } from "../backend/runPromises.ts"
import { troupeError } from "../backend/TroupeError.ts"
import type { Origin } from "../domain/Origin.ts"
import { RequestOrigin } from "../services/requestOrigin.ts"
import type { Caller } from "../services/Sessions.ts"

export class Backends extends Context.Service<
  Backends,
  {
    /** `origin`: the request that brought the caller, for the log and for traces. Its `close` ends nothing. */
    readonly of: (caller: Caller, origin: Origin) => Backend
  }
>()("troupe/doors/Backends") {
  static readonly layer = Layer.effect(
    Backends,
    Effect.map(Effect.context<BackendServices>(), (services) => {
      const promises = promisesOf(Effect.runPromiseExitWith(services), services, troupeError)
      const close = () => Promise.resolve()
      return Backends.of({
        of: (caller, origin) => EmbeddedBackend.make({ ...withOrigin(promises, origin), close }, caller)
      })
    })
  )
}

const withOrigin = ({ iterate, run }: Promises<BackendServices>, origin: Origin): Promises<BackendServices> => ({
  run: (effect) => run(Effect.provideService(effect, RequestOrigin, origin)),
  iterate: (stream) => iterate(Effect.provideService(stream, RequestOrigin, origin))
})
