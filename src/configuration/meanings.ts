/**
 * What each setting of `keys.ts` does, for a person: docs/settings.md is made of it (`npm run docs`).
 *
 * A key without its line does not compile. `unset` is what holds where nothing is set; absent, the page computes it from
 * the defaults that the program has.
 */
import type { KeyName } from "./keys.ts"

export const groups = {
  server: "Server",
  storage: "Storage and tokens",
  agents: "Agents and processes",
  time: "How long things may take",
  restarts: "Restarts",
  sessions: "How many sessions, and for how long",
  sizes: "Sizes",
  cluster: "Several machines",
  reviews: "Background reviews"
} as const

export interface Meaning {
  readonly group: keyof typeof groups
  readonly does: string
  readonly unset?: string
}

export const meanings: Readonly<Record<KeyName, Meaning>> = {
  host: { group: "server", does: "The address to listen on." },
  port: { group: "server", does: "The port to listen on." },
  allowedHosts: {
    group: "server",
    does: "Which `Host` headers are served. Add yours before you listen on another address. `/healthz`, `/readyz` and `/metrics` answer to any.",
    unset: "loopback names"
  },
  allowedOrigins: {
    group: "server",
    does: "Which web pages of other origins may call the API from a browser.",
    unset: "none"
  },
  logLevel: { group: "server", does: "How much is logged, on stderr." },
  logFormat: {
    group: "server",
    does: "How a line of the log looks.",
    unset: "`pretty` on a terminal, else `json`"
  },
  agentsApi: {
    group: "server",
    does: "Whether OpenAI's Agents API is served below `/v1/agents` ([for its SDK](agents-api.md))."
  },
  dataDir: {
    group: "storage",
    does: "Where everything is stored. One Troupe at a time can use it. With `:memory:` nothing outlives the process.",
    unset: "`./.troupe`"
  },
  databaseUrl: {
    group: "storage",
    does: "A PostgreSQL database (14 or newer) that keeps the sessions in place of a file in the data dir.",
    unset: "a file in the data dir"
  },
  adminToken: {
    group: "storage",
    does: "The admin's token.",
    unset: "the file `admin-token` in the data dir, made at the first start"
  },
  defaultAgent: {
    group: "agents",
    does: "The agent of a session that names none.",
    unset: "`codex` if it is installed, else `claude`, else `demo`"
  },
  maxProcesses: { group: "agents", does: "Agent processes at once. A turn that needs one more waits." },
  warmSpares: {
    group: "agents",
    does: "Agent processes that wait for a session, for each way in which one was started within 10 minutes. They use places that no turn needs, and give them up at once. `0`: none."
  },
  maxSessionRss: {
    group: "agents",
    does: "Memory of all processes of a session together. Beyond it the turn fails with class `limit`; between turns the process is ended. On Linux."
  },
  maxSessionDescendants: {
    group: "agents",
    does: "Number of processes of a session: its agent and all descendants. Enforced like `maxSessionRss`. On Linux."
  },
  poolWait: { group: "time", does: "How long a turn waits for a free process before it is refused with `pool_full`." },
  turnTimeout: { group: "time", does: "Deadline of one turn. A turn can have its own (`timeout_s`)." },
  turnQuiet: {
    group: "time",
    does: "How long an agent may be silent anywhere in a turn before it is asked for a sign of life."
  },
  postToolQuiet: {
    group: "time",
    does: "How long an agent may be silent after one of its tools has ended, before it is asked for a sign of life."
  },
  approvalTimeout: { group: "time", does: "How long an agent's question waits for a person. Then it is a no." },
  attentionAsked: {
    group: "time",
    does: 'After how long an agent\'s question that nobody has answered is shown under "Needs attention".'
  },
  attentionQueued: {
    group: "time",
    does: 'After how long a turn that waits for a free process is shown under "Needs attention".'
  },
  attentionSilent: {
    group: "time",
    does: 'From when on an agent\'s silence in a turn can be shown under "Needs attention": where it is longer than 99 of 100 silences of the agent, or five times this while those are not known, or a tool runs.'
  },
  hibernateAfter: {
    group: "time",
    does: "How long an idle session keeps its process. The next turn starts another, which resumes the conversation."
  },
  ledgerPatience: {
    group: "time",
    does: "How long commits are held while the ledger can't be written. Then running turns are ended."
  },
  restartIntensity: {
    group: "restarts",
    does: "The restart budget: how many deaths of its process a session may have within `restartPeriod`. One more, and it is parked."
  },
  restartPeriod: {
    group: "restarts",
    does: "The period of the restart budget. A process that lived as long is proven, and the next pause is short again."
  },
  maxSessions: { group: "sessions", does: "Open sessions at once, of all apps." },
  maxSessionsPerApp: { group: "sessions", does: "Open sessions at once of one app.", unset: "as `maxSessions`" },
  sessionTtl: { group: "sessions", does: "How long a session may be open after it was created. Then it is closed." },
  sessionIdleTtl: { group: "sessions", does: "How long a session may be open without a turn. Then it is closed." },
  sessionHardTtl: {
    group: "sessions",
    does: "How long a closed session is kept, with its files and its audit trail. Then it is deleted."
  },
  sweepInterval: { group: "sessions", does: "How often it is looked for sessions that are to be closed or deleted." },
  maxBody: { group: "sizes", does: "The largest body of a request, but for uploads." },
  maxFile: { group: "sizes", does: "The largest file that an app can upload." },
  maxCapsule: {
    group: "sizes",
    does: "The largest conversation of an agent that is stored to go along to other nodes (`homes`: `capsule`)."
  },
  node: { group: "cluster", does: "The name of this machine among the nodes.", unset: "the machine's host name" },
  nodeUrl: { group: "cluster", does: "Where other nodes reach this one.", unset: "none; `serve --cluster` needs it" },
  clusterSecret: {
    group: "cluster",
    does: "What nodes sign their calls with.",
    unset: "none; `serve --cluster` needs it"
  },
  nodeLease: {
    group: "cluster",
    does: "How long other nodes leave this one's sessions alone without a sign of life."
  },
  homes: {
    group: "cluster",
    does: "What becomes of an agent's own conversation where another node goes on with its session: it stays behind (`local`), all nodes share the agents' homes (`shared`), or it is stored in the database and brought along (`capsule`).",
    unset: "`capsule` with `serve --cluster`, else `local`"
  },
  reviews: {
    group: "reviews",
    does: "Whether background reviews run. They make model calls on your account.",
    unset: "`false`"
  },
  reviewMemoryInterval: {
    group: "reviews",
    does: "A review that may learn facts, every so many user turns. It makes model calls on your account."
  },
  reviewSkillInterval: {
    group: "reviews",
    does: "A review that may learn ways of working, every so many tool iterations, where `reviews.skillTool` is on."
  },
  reviewSkillTool: {
    group: "reviews",
    does: "Whether the agents have a tool that reads skills. Without one no skill review runs."
  },
  reviewApiKey: { group: "reviews", does: "The account of reviews.", unset: "the agent's" },
  reviewBaseUrl: { group: "reviews", does: "Where the model of reviews is.", unset: "the agent's provider" },
  reviewModel: { group: "reviews", does: "The model of reviews.", unset: "the session's" },
  reviewIterations: { group: "reviews", does: "Calls of the model that one review may make." },
  reviewInputTokens: { group: "reviews", does: "Tokens that one review may send to the model." }
}
