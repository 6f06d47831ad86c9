/** A request for a turn: its path, in a scripted session that takes turns, and the header that asks for a stream. */

export const turn = "/sessions/ses_ok/turn"
export const asEvents = { accept: "text/event-stream" }
