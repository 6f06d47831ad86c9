/**
 * The doors that are reached over HTTP: the clients of other protocols come in beside the API, behind its middleware, with
 * its tokens. `routes` goes where the dashboard's go (`Http.layerWith`, `mount`).
 */
import { Layer } from "effect"
import type { HttpRouter } from "effect/http"
import type { BackendServices } from "../backend/embeddedBackend.ts"
import type { Streams } from "../http/Streams.ts"
import type { Apps } from "../services/Apps.ts"
import * as Acp from "./acp/routes.ts"
import * as AgentsApi from "./agents/routes.ts"
import * as AgUi from "./agui/routes.ts"
import { Backends } from "./Backends.ts"
import * as Mcp from "./mcp/routes.ts"
import * as Responses from "./responses/routes.ts"

export interface DoorOptions {
  /** Whether OpenAI's Agents API is served. Default: no, since it is a beta that changes. */
  readonly agentsApi?: boolean | undefined
}

type Routes = Layer.Layer<never, never, HttpRouter.HttpRouter | Streams | Apps | BackendServices>

export const routesWith = ({ agentsApi = false }: DoorOptions): Routes =>
  Layer.mergeAll(Acp.layer, AgentsApi.layer(agentsApi), AgUi.layer, Mcp.layer, Responses.layer).pipe(
    Layer.provide(Backends.layer)
  )

export const routes: Routes = routesWith({})
