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
import * as AgUi from "./agui/routes.ts"
import { Backends } from "./Backends.ts"
import * as Mcp from "./mcp/routes.ts"
import * as Responses from "./responses/routes.ts"

export const routes: Layer.Layer<never, never, HttpRouter.HttpRouter | Streams | Apps | BackendServices> =
  Layer.mergeAll(Acp.layer, AgUi.layer, Mcp.layer, Responses.layer).pipe(Layer.provide(Backends.layer))
