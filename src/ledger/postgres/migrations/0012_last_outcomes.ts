/** How each session's last turn ended, with the session: a list shows it, and a failure is not forgotten with its process. */
export default [
  'ALTER TABLE sessions ADD COLUMN last_outcome text COLLATE "C"',
  `UPDATE sessions SET last_outcome = (
    SELECT json_build_object('turn', idx, 'status', status, 'at', ended_at, 'failure', CASE
        WHEN failure LIKE '{%' THEN json_build_object('class', failure::json->>'class',
          'message', substr(failure::json->>'message', 1, 400)) END)::text
      FROM turns WHERE session = sessions.id AND ended_at IS NOT NULL ORDER BY idx DESC LIMIT 1)`
]
