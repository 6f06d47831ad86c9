/** The client at the other end of a connection: what it can show, and how it is told and asked. */
import type { AgentConnection, ClientCapabilities, SendRequestOptions } from "@agentclientprotocol/sdk"
import type { Shows } from "./updates.ts"

export interface Peer {
  readonly shows: Shows & {
    /** Questions of an agent, as forms. */
    readonly forms: boolean
  }
  /** Resolves when the transport has taken it: who tells much waits for a slow client. */
  readonly notify: (method: string, params: object) => Promise<void>
  readonly request: <A>(method: string, params: object, options: SendRequestOptions) => Promise<A>
  /** For the log: nothing that the client is told. */
  readonly note: (line: string) => void
}

export const showsOf = (capabilities: ClientCapabilities | undefined): Peer["shows"] => {
  const { elicitation, session } = capabilities ?? {}
  return {
    notices: session?.notices !== undefined && session.notices !== null,
    compaction: session?.compaction !== undefined && session.compaction !== null,
    forms: elicitation?.form !== undefined && elicitation.form !== null
  }
}

export const peerOf = ({ client }: AgentConnection, shows: Peer["shows"], note: (line: string) => void): Peer => ({
  shows,
  notify: (method, params) => client.notify(method, params),
  request: (method, params, options) => client.request(method, params, options),
  note
})
