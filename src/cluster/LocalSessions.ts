/** The messages of sessions as this process answers them, for its own services and for other nodes. */
import { Context, Layer } from "effect"
import * as LocalSessionHost from "../supervision/localSessionHost.ts"
import type { SessionHost } from "../supervision/SessionHost.ts"

export class LocalSessions extends Context.Service<LocalSessions, SessionHost["Service"]>()(
  "troupe/cluster/LocalSessions"
) {
  static readonly layer = Layer.effect(LocalSessions, LocalSessionHost.make)
}
