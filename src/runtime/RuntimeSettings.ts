/** The settings of this runtime, as a service: read once at the edge, the same for everybody inside. */
import { Context } from "effect"
import type { Settings } from "../domain/Settings.ts"

export class RuntimeSettings extends Context.Service<RuntimeSettings, Settings>()("troupe/runtime/RuntimeSettings") {}
