/**
 * The dashboard: the page under `/inspect/`, and the routes that it calls under `/inspect/api`.
 *
 * `layer` is the state of a running server (the ring of changes, the keys of logins). `routes` goes to `Http.layerWith`,
 * behind the same middleware as the API.
 */
import { Layer } from "effect"
import { Access } from "./api/Access.ts"
import * as AttentionRoutes from "./api/attention.ts"
import * as FleetRoutes from "./api/fleet.ts"
import * as LiveRoutes from "./api/live.ts"
import * as LoginRoutes from "./api/login.ts"
import * as NewSessionRoutes from "./api/newSessions.ts"
import * as NodesRoutes from "./api/nodes.ts"
import * as SessionRoutes from "./api/session.ts"
import * as SessionsRoutes from "./api/sessions.ts"
import * as StepsRoutes from "./api/steps.ts"
import { Hub } from "./Hub.ts"
import * as Page from "./Page.ts"
import * as StatelyRoutes from "./stately/routes.ts"
import { Watchers } from "./stately/Watchers.ts"

export { Access } from "./api/Access.ts"

export const layer = Layer.mergeAll(Access.layer, Hub.layer, Watchers.layer)

export const routes = Layer.mergeAll(
  LiveRoutes.layer,
  LoginRoutes.layer,
  AttentionRoutes.layer,
  FleetRoutes.layer,
  SessionsRoutes.layer,
  StepsRoutes.layer,
  SessionRoutes.layer,
  NewSessionRoutes.layer,
  NodesRoutes.layer,
  StatelyRoutes.layer,
  Page.layer
)
