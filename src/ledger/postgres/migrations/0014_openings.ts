/** How each session's first prompt begins, with what it was created with: a list names it without looking for its turns. */
export default [
  'ALTER TABLE session_requests ADD COLUMN opening text COLLATE "C"',
  `UPDATE session_requests SET opening = (
    SELECT substr(prompt, 1, 320) FROM turns WHERE session = session_requests.session AND idx = 1 AND kind = 'prompt')`
]
