/** The routes of one session: its detail, steps, events, process and stream, a search in it, its export, and the actions on it. */
import { Layer } from "effect"
import * as Actions from "./sessionActions.ts"
import * as Export from "./sessionExport.ts"
import * as Reads from "./sessionReads.ts"
import * as Search from "./sessionSearch.ts"
import * as Stream from "./sessionStream.ts"

export const layer = Layer.mergeAll(Reads.layer, Search.layer, Stream.layer, Actions.layer, Export.layer)
