/** All routes that the server has, read from its router: what is added there is swept. */
import { Context, Effect, Layer } from "effect"
import { HttpRouter } from "effect/http"
import { allOperations } from "../../src/doors/agents/operations.ts"
import * as Doors from "../../src/doors/Doors.ts"
import { apiRoutes } from "../../src/http/routed.ts"
import { Streams } from "../../src/http/Streams.ts"
import * as Inspect from "../../src/inspect/Inspect.ts"
import type { RunningTroupe } from "../inspect/harness.ts"

export interface Route {
  readonly method: string
  /** With its parameters as `:name`. */
  readonly path: string
  /** `GET /sessions/:id`: how tests name it. */
  readonly name: string
}

/**
 * Builds the routes of the API, of the dashboard and of the doors once more, into a router that writes down what is added to it.
 * What messages of a door's own protocol may not do is in `test/doors`.
 */
export const routesOf = Effect.fnUntraced(function* ({ dashboard, services }: RunningTroupe) {
  const added: Array<Route> = []
  const router = yield* HttpRouter.make
  const recording: HttpRouter.HttpRouter = {
    ...router,
    add: (method, path, handler, options) => recording.addAll([HttpRouter.route(method, path, handler, options)]),
    addAll: (routes) => {
      for (const { method, path } of routes) added.push({ method, path, name: `${method} ${path}` })
      return router.addAll(routes)
    }
  }
  const context = Context.merge(services, dashboard).pipe(Context.add(HttpRouter.HttpRouter, recording))
  const routes: Layer.Layer<never, unknown, unknown> = Layer.mergeAll(
    apiRoutes(""),
    Inspect.routes,
    Doors.routesWith({ agentsApi: true })
  ).pipe(Layer.provide(Streams.layer))
  yield* Layer.build(routes).pipe(Effect.provideContext(context as Context.Context<unknown>), Effect.orDie)
  return added.filter(({ name }) => !withoutCounterpart.has(name))
})

/** They look at nothing: `test/doors/agents` calls each. */
const withoutCounterpart = new Set(
  allOperations.flatMap(({ method, path, reason }) => (reason === undefined ? [] : [`${method} ${path}`]))
)
