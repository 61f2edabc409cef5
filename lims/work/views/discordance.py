"""Which tubes disagree with what is in them, until a reviewer closes it (S4, S8).

A positive pool of negatives, a person detected and then not, and a negative
pool that holds a positive person.
"""

from typing import Final

# The second part is found from the positive people, never from all the pools; a finding that is
# positive rests on a tube of its own, so that the pool is the one that disagrees.
DISCORDANT_TUBES: Final = """
SELECT u.id, min(u.since) AS since FROM (
    SELECT coalesce(src.pool_id, t.id) AS id, f.created_at AS since FROM finding f
    JOIN tube_specimen ts ON ts.specimen_id = f.specimen_id
    JOIN tube t ON t.id = ts.tube_id AND t.kind <> 'lab_pool'
    LEFT JOIN tube_source src ON src.source_id = t.id
    WHERE f.site_id = :site AND f.current AND f.status = 'P' AND f.outcome = 'discordant'
    UNION ALL
    SELECT t.id, f.created_at FROM finding f
    JOIN tube_specimen ts ON ts.specimen_id = f.specimen_id
    JOIN tube t ON t.id = ts.tube_id AND t.kind = 'lab_pool'
    WHERE f.site_id = :site AND f.current AND f.outcome = 'positive'
      AND NOT EXISTS (SELECT FROM review_decision d WHERE d.tube_id = t.id)
      AND NOT EXISTS (SELECT FROM result r WHERE r.tube_id = t.id AND r.current AND NOT r.held
                      AND r.outcome = 'detected')
      AND (SELECT r.outcome FROM result r JOIN test_order o ON o.id = r.order_id
           WHERE r.tube_id = t.id AND r.current AND NOT r.held AND r.outcome <> 'invalid'
           ORDER BY o.round DESC LIMIT 1) = 'not_detected'
) u GROUP BY u.id
"""
