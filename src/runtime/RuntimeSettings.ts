/** The settings of this runtime, as a service: read once where a runtime is opened, the same for everything in it. */
import { Context } from "effect"
import type { Settings } from "../domain/Settings.ts"

export class RuntimeSettings extends Context.Service<RuntimeSettings, Settings>()("troupe/runtime/RuntimeSettings") {}
