/** The parts of a session, as they are named in an address. */
export const firstTab = "transcript"

const tabs = [
  firstTab,
  "turns",
  "search",
  "steps",
  "state",
  "approvals",
  "process",
  "budget",
  "costs",
  "what-if",
  "compare"
] as const

export type TabId = (typeof tabs)[number]

export const isTab = (id: string): id is TabId => tabs.some((each) => each === id)
