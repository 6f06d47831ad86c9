/** `/acp`: remote clients of the Agent Client Protocol, by Streamable HTTP or by a WebSocket, each with its app's token. */
import { route } from "../route.ts"
import * as Connections from "./Connections.ts"

export const layer = route("*", "/acp", Connections.make)
