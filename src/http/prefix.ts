/** Where the addresses of the API begin in somebody else's server. */

/** Without a slash at the end, with one at the beginning. */
export const cleanPrefix = (prefix = ""): string => {
  const trimmed = prefix.replace(/^\/+|\/+$/g, "")
  return trimmed === "" ? "" : `/${trimmed}`
}

/** Whether an address is under the prefix. */
export const isUnder = (url: string, prefix: string): boolean =>
  url === prefix || url.startsWith(`${prefix}/`) || url.startsWith(`${prefix}?`)

export const withoutPrefix = (url: string, prefix: string) => {
  if (prefix === "") return url
  const rest = url.slice(prefix.length)
  return rest.startsWith("/") ? rest : `/${rest}`
}
