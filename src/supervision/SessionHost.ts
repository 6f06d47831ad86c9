/**
 * The line between the services and the actors of sessions: what is above it holds no state about a session, and asks by
 * messages (`sessionMessages.ts`) which can be sent to another machine. `localSessionHost.ts` answers them here.
 *
 * A request that is answered is stored. Who waits for what comes later, as the outcome of a turn, waits for the news of it
 * (`expectEnds.ts`).
 */
import { Context } from "effect"
import type { Effect } from "effect"
import type { SessionId } from "../domain/Ids.ts"
import type { SessionRecord } from "../domain/Session.ts"
import type { SessionMessages } from "./sessionMessages.ts"

type Asked<M extends SessionMessages[keyof SessionMessages]> = (
  request: M["request"]["Type"]
) => Effect.Effect<M["answer"]["Type"], M["error"]["Type"]>

export class SessionHost extends Context.Service<
  SessionHost,
  {
    /**
     * Loads the session where it is not loaded. A submission that has come before leads to its turn, whatever the state is;
     * else it is refused as `EventRefused` where the state takes no turn now.
     */
    readonly submit: Asked<SessionMessages["submit"]>
    /** The answer comes at once; the turn ends later. Not taken where that turn does not run and does not wait. */
    readonly interrupt: Asked<SessionMessages["interrupt"]>
    /** Answered when the agent has taken the words, or won't. */
    readonly steer: Asked<SessionMessages["steer"]>
    /** Not taken where the approval is settled. */
    readonly answer: Asked<SessionMessages["answer"]>
    /** Not taken where the session is closed, or closing. */
    readonly close: Asked<SessionMessages["close"]>
    /** Not taken where the session is closed, or closing. */
    readonly change: Asked<SessionMessages["change"]>
    /** Not taken where the session is closed, or had a turn. */
    readonly chooseAgent: Asked<SessionMessages["chooseAgent"]>
    /** Not taken where the session is not parked. */
    readonly unpark: Asked<SessionMessages["unpark"]>
    /** Not taken where no idle process is there to end. */
    readonly hibernate: Asked<SessionMessages["hibernate"]>
    /** Answered when nothing of the session runs where it was, and nobody owns it. An idle agent is asked to end first. */
    readonly release: Asked<SessionMessages["release"]>
    /** The node that is asked, and no other, becomes its owner; fails as `session_moved` where another node has it. */
    readonly adopt: Asked<SessionMessages["adopt"]>
    /** Of each of these sessions, in their order. Loads none. */
    readonly look: Asked<SessionMessages["look"]>
    /**
     * The record of a session that is loaded in this process, as its last commit stored it; `null`: the ledger has it. Where
     * another node has taken it over since, what is asked for by it is refused.
     */
    readonly loaded: (session: SessionId) => SessionRecord | null
  }
>()("troupe/supervision/SessionHost") {}
