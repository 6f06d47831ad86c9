/** The sign of an answer whose status was sent before its outcome was known. In the contract, because the client reads it. */
export const lateHeader = "x-troupe-late-answer"

/** For the descriptions of the endpoints whose answer may be late. */
export const lateDescription =
  "After 45 s without an outcome the headers are sent with status 200 and `x-troupe-late-answer: true`, and a line feed every 15 s keeps the connection alive until the body comes. The body is then what would have been sent with any status, also 502, 504 or a problem: read its `ok`."
