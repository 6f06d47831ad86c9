/**
 * The characters of somebody else's text that must reach neither a terminal nor a person's eye as they are.
 *
 * Controls (Unicode's category Cc) move the cursor and begin escape sequences; bidirectional controls (Bidi_Control)
 * turn around the order in which their neighbours are read. Tab, line feed and carriage return lay text out and are not
 * among them: a reader that minds them adds them. Imports nothing, so that the dashboard's page may have it, too.
 */

/** For a character class: `new RegExp(`[${unsafeCharacters}]`, "g")`, with or without the flag `u`. */
export const unsafeCharacters = String.raw`\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069`
