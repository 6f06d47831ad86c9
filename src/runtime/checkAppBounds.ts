/**
 * Refuses what an app's operator does not let it ask for. Every way to begin or to change a session passes here, so HTTP
 * and the library have the same bounds, and so does every start of an agent: the bounds may be narrower by then, or a link
 * turned elsewhere. An app of the library that nobody has made with `troupe app` has no bounds.
 */
import { Effect, FileSystem, Path } from "effect"
import { boundsProblem } from "../domain/appBounds.ts"
import type { BoundedRequest } from "../domain/appBounds.ts"
import type { AppName } from "../domain/Ids.ts"
import { NotAllowed } from "../domain/Refusal.ts"
import { Ledger } from "../ledger/Ledger.ts"

export interface AskedOfApp extends Omit<BoundedRequest, "realCwd"> {
  /** As the app sent it; absent: Troupe makes a directory. */
  readonly cwd?: string | undefined
}

export const make = Effect.gen(function* () {
  const fs = yield* FileSystem.FileSystem
  const ledger = yield* Ledger
  const path = yield* Path.Path

  /** A directory that does not exist has no links, and must not be told from one that is out of bounds. */
  const realPath = (directory: string) =>
    fs.realPath(path.resolve(directory)).pipe(Effect.orElseSucceed(() => path.resolve(directory)))

  /** The directory to work in: of an app with roots the real one, so that a session stays where it was made. */
  return Effect.fnUntraced(function* (app: AppName, { cwd, ...asked }: AskedOfApp) {
    const bounds = yield* ledger.appBounds(app)
    if (bounds === null) return cwd
    if (bounds.cwdRoots === undefined || cwd === undefined) {
      const problem = boundsProblem(bounds, asked)
      return problem === null ? cwd : yield* new NotAllowed({ problem })
    }
    const realCwd = yield* realPath(cwd)
    const cwdRoots = yield* Effect.forEach(bounds.cwdRoots, realPath)
    const problem = boundsProblem({ ...bounds, cwdRoots }, { ...asked, realCwd })
    return problem === null ? realCwd : yield* new NotAllowed({ problem })
  })
})
