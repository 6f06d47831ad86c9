/**
 * The demo agent and the warden as text, each whole in one file, for an app that is bundled into one file. `npm run build` puts
 * them in here; a checkout has them as files.
 */
export const carriedPrograms: Readonly<Record<"demo" | "warden", string>> | null = null
