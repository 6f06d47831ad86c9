/** One session: its detail, its steps and events, its process, its news as they come, and what a person may do to it. */
import { Layer } from "effect"
import * as Actions from "./sessionActions.ts"
import * as Export from "./sessionExport.ts"
import * as Reads from "./sessionReads.ts"
import * as Stream from "./sessionStream.ts"

export const layer = Layer.mergeAll(Reads.layer, Stream.layer, Actions.layer, Export.layer)
