-- The rows of one mass-testing day (mass_day.py binds its values). Every id and time is a function
-- of its number, so that rows of different tables find each other without a join.

CREATE FUNCTION pg_temp.rnd(n bigint, salt int) RETURNS float8 LANGUAGE sql IMMUTABLE AS
$$ SELECT (hashint8extended(n, salt) & 16777215) / 16777216.0 $$;
CREATE FUNCTION pg_temp.row_id(kind int, n bigint) RETURNS uuid LANGUAGE sql IMMUTABLE AS
$$ SELECT (:prefix || '-7000-8' || lpad(to_hex(kind), 3, '0') || '-' || lpad(to_hex(n), 12, '0'))::uuid $$;

CREATE TEMP TABLE leaf AS
SELECT n, CASE WHEN n <= :pooled THEN 'lab_pool' WHEN n <= :pooled + :single THEN 'individual'
               ELSE 'field_pool' END AS kind,
       CASE WHEN n <= :pooled THEN (n - 1) / 10 + 1 ELSE n END AS grp
FROM generate_series(1, :tubes) n;

-- one test of one group: a pool, a single tube, a field pool
CREATE TEMP TABLE tested AS
SELECT grp, kind, swabbed, received, received + (40 + 150 * pg_temp.rnd(grp, 3)) * interval '1 min' AS plated,
       pg_temp.rnd(grp, 7) < CASE kind WHEN 'individual' THEN 0.004 ELSE 0.03 END AS positive
FROM (SELECT grp, min(kind) AS kind, swabbed,
             swabbed + (20 + 130 * pg_temp.rnd(grp, 2)) * interval '1 min' AS received
      FROM (SELECT DISTINCT grp, kind, CAST(:day AS timestamptz)
                   + (5 + 15 * pg_temp.rnd(grp, 1)) * interval '1 hour' AS swabbed FROM leaf) g
      GROUP BY grp, swabbed) h;
CREATE UNIQUE INDEX ON tested (grp);
ANALYZE leaf; ANALYZE tested;

-- every test: round 1 of the group's tube, then of the ten members of a positive laboratory pool
CREATE TEMP TABLE test AS
SELECT row_number() OVER () AS n, tube_n, pool, grp, round, plated, (row_number() OVER (ORDER BY plated, tube_n) - 1) / 94 AS run_n
FROM (
    SELECT grp AS tube_n, kind = 'lab_pool' AS pool, grp, 1 AS round, plated FROM tested
    UNION ALL
    SELECT l.n, false, l.grp, 1, t.plated + (170 + 60 * pg_temp.rnd(l.grp, 4)) * interval '1 min'
    FROM leaf l JOIN tested t USING (grp) WHERE l.kind = 'lab_pool' AND t.positive
) every;
CREATE TEMP TABLE plate AS
SELECT run_n, max(plated) AS plated, max(plated) + (95 + 30 * pg_temp.rnd(run_n, 5)) * interval '1 min' AS measured
FROM test GROUP BY run_n;
CREATE UNIQUE INDEX ON plate (run_n);
ANALYZE test; ANALYZE plate;

CREATE TEMP TABLE swab AS
SELECT l.n + (CASE WHEN l.kind = 'field_pool' THEN (k - 1) * :tubes ELSE 0 END) AS n, l.n AS tube_n, l.grp, l.kind
FROM leaf l CROSS JOIN LATERAL generate_series(1, CASE WHEN l.kind = 'field_pool' THEN 5 ELSE 1 END) k;
ANALYZE swab;
INSERT INTO campaign (id, site_id, name, assay_code, pool_size, opened_at)
SELECT pg_temp.row_id(1, 1), :site, :name, 'sars-cov-2', 10, :day ON CONFLICT DO NOTHING;
INSERT INTO instrument (id, site_id, name, driver, active, created_at)
VALUES (pg_temp.row_id(2, 1), :site, :name, 'plate96', true, :day) ON CONFLICT DO NOTHING;

INSERT INTO person (id, site_id, name, name_key, birth_year, sex, phone, national_id, address, area_scheme, area_code, created_at)
SELECT pg_temp.row_id(3, s.n), :site, 'Nguyễn Văn ' || s.n, 'nguyen van ' || s.n, 1930 + (s.n % 90), CASE WHEN s.n % 2 = 0 THEN 'female' ELSE 'male' END,
       '+849' || lpad((s.n % 100000000)::text, 8, '0'), lpad((s.n + :ids)::text, 12, '0'), 'Số ' || (s.grp % 400) || ', tổ ' || (s.grp % 60),
       a.scheme, a.code, t.swabbed
FROM swab s JOIN tested t USING (grp)
JOIN (SELECT scheme, code, row_number() OVER (ORDER BY code) AS k, count(*) OVER () AS every FROM area
      WHERE level = 'ward' AND (:province = '' OR parent_code = :province)
        AND scheme = (SELECT max(scheme) FROM area)) a
  ON a.k = 1 + floor(a.every * power(pg_temp.rnd(t.grp, 6), 2));

INSERT INTO specimen (id, site_id, person_id, campaign_id, material, collected_at, registered_at, registered_by, body_digest)
SELECT pg_temp.row_id(4, n), :site, pg_temp.row_id(3, n), pg_temp.row_id(1, 1), 'swab', t.swabbed, t.swabbed, 'bench', '0'
FROM swab JOIN tested t USING (grp);

INSERT INTO tube (id, site_id, barcode, kind, state, campaign_id, assay_code, capacity, created_at, created_by, received_at, received_by, awaits_pool)
SELECT pg_temp.row_id(5, l.n), :site, :letters || lpad(l.n::text, 9, '0'), CASE l.kind WHEN 'field_pool' THEN 'field_pool' ELSE 'individual' END,
       CASE WHEN t.received <= :until THEN 'received' ELSE 'collected' END, pg_temp.row_id(1, 1), 'sars-cov-2', 5, t.swabbed, 'bench',
       CASE WHEN t.received <= :until THEN t.received END, CASE WHEN t.received <= :until THEN 'bench' END,
       l.kind = 'lab_pool' AND t.received <= :until AND t.received + interval '20 min' > :until
FROM leaf l JOIN tested t USING (grp);
INSERT INTO tube (id, site_id, barcode, kind, state, campaign_id, assay_code, capacity, created_at, created_by, received_at, received_by)
SELECT pg_temp.row_id(6, grp), :site, :letters || 'P' || lpad(grp::text, 8, '0'), 'lab_pool', 'received', pg_temp.row_id(1, 1), 'sars-cov-2', 10,
       received + interval '20 min', 'bench', received + interval '20 min', 'bench'
FROM tested WHERE kind = 'lab_pool' AND received + interval '20 min' <= :until;
INSERT INTO tube_specimen (tube_id, specimen_id) SELECT pg_temp.row_id(5, tube_n), pg_temp.row_id(4, n) FROM swab;
INSERT INTO tube_specimen (tube_id, specimen_id)
SELECT pg_temp.row_id(6, s.grp), pg_temp.row_id(4, s.n) FROM swab s JOIN tested t USING (grp)
WHERE s.kind = 'lab_pool' AND t.received + interval '20 min' <= :until;
INSERT INTO tube_source (pool_id, source_id, position, drawn_at)
SELECT pg_temp.row_id(6, l.grp), pg_temp.row_id(5, l.n), (l.n - 1) % 10 + 1, t.received + interval '20 min'
FROM leaf l JOIN tested t USING (grp) WHERE l.kind = 'lab_pool' AND t.received + interval '20 min' <= :until;

INSERT INTO run (id, site_id, plate, assay_code, instrument_id, state, verdict, verdict_why, created_at, created_by, measured_at, judged_at, body_digest, format, control_template_id)
SELECT pg_temp.row_id(7, run_n), :site, :letters || '-' || lpad(run_n::text, 6, '0'), 'sars-cov-2', pg_temp.row_id(2, 1),
       CASE WHEN measured <= :until THEN 'valid' ELSE 'planned' END, CASE WHEN measured <= :until THEN 'passed' END,
       CASE WHEN measured <= :until THEN 'controls passed' END, plated, 'bench',
       CASE WHEN measured <= :until THEN measured END, CASE WHEN measured <= :until THEN measured END, '0', 96,
       (SELECT id FROM control_template WHERE site_id = :site AND assay_code = 'sars-cov-2' AND format = 96 ORDER BY name, version LIMIT 1)
FROM plate WHERE plated <= :until;
CREATE TEMP TABLE done AS
SELECT q.*, CASE WHEN q.pool THEN pg_temp.row_id(6, q.tube_n) ELSE pg_temp.row_id(5, q.tube_n) END AS tube_id,
       p.plated AS run_plated, p.measured, t.positive, t.kind, t.received,
       p.plated <= :until AS is_plated, p.measured <= :until AS is_measured,
       t.positive AND (q.pool OR t.kind <> 'lab_pool' OR q.tube_n % 10 = t.grp % 10) AS detected
FROM test q JOIN tested t USING (grp) JOIN plate p USING (run_n)
WHERE t.received + interval '20 min' <= :until;
ANALYZE done;
INSERT INTO test_order (id, site_id, tube_id, assay_code, round, priority, why, state, created_at, closed_at)
SELECT pg_temp.row_id(8, n), :site, tube_id, 'sars-cov-2', 1, 5, 'primary',
       CASE WHEN is_measured THEN 'resulted' WHEN is_plated THEN 'plated' ELSE 'queued' END, plated - interval '30 min',
       CASE WHEN is_measured THEN measured END FROM done WHERE plated - interval '30 min' <= :until;
INSERT INTO well (run_id, format, position, role, order_id, tube_id)
SELECT pg_temp.row_id(7, run_n), 96, chr(65 + (k % 8)) || lpad((k / 8 + 1)::text, 2, '0'), 'specimen', pg_temp.row_id(8, n), tube_id
FROM (SELECT *, (row_number() OVER (PARTITION BY run_n ORDER BY n) - 1)::int AS k FROM done WHERE is_plated) w;
INSERT INTO raw_message (id, site_id, instrument_id, digest, driver, driver_version, body, state, captured_at, stored_at, receipt)
SELECT pg_temp.row_id(9, run_n), :site, pg_temp.row_id(2, 1), encode(sha256(convert_to(:name || run_n, 'UTF8')), 'hex'), 'plate96', '1', ''::bytea, 'accepted', measured, measured, '{}'
FROM plate WHERE measured <= :until;
INSERT INTO measurement (id, site_id, message_id, instrument_id, path, specimen_text, role, run_id, tube_id, order_id, assay_text, targets, content, standing, received_at)
SELECT pg_temp.row_id(10, n), :site, pg_temp.row_id(9, run_n), pg_temp.row_id(2, 1), n::text, 'x', 'specimen', pg_temp.row_id(7, run_n), tube_id, pg_temp.row_id(8, n),
       'sars-cov-2', '[]', '', 'matched', measured FROM done WHERE is_measured;
INSERT INTO result (id, site_id, order_id, tube_id, run_id, measurement_id, outcome, ct_cycles, rule, why, status, current, held, created_at)
SELECT pg_temp.row_id(11, n), :site, pg_temp.row_id(8, n), tube_id, pg_temp.row_id(7, run_n), pg_temp.row_id(10, n),
       CASE WHEN detected THEN 'detected' ELSE 'not_detected' END, CASE WHEN detected THEN 18 + 14 * pg_temp.rnd(n, 8) END, 'sars-cov-2/1', '', 'F', true, false, measured
FROM done WHERE is_measured;

CREATE INDEX ON done (grp);
CREATE TEMP TABLE said AS
SELECT s.n, s.tube_n, s.grp, CASE WHEN r.detected AND s.kind = 'field_pool' THEN 'preliminary' WHEN r.detected THEN 'positive' ELSE 'negative' END AS outcome,
       r.measured, r.n AS result_n
FROM swab s
JOIN LATERAL (SELECT * FROM done d WHERE d.grp = s.grp AND d.is_measured AND (NOT d.pool OR NOT d.positive)
              AND (d.pool OR d.tube_n = s.tube_n)) r ON true;
INSERT INTO finding (id, site_id, specimen_id, person_id, outcome, status, rule, evidence, holds, current, created_at, released_at, released_by)
SELECT pg_temp.row_id(12, n), :site, pg_temp.row_id(4, n), pg_temp.row_id(3, n), outcome,
       CASE WHEN outcome = 'negative' OR (outcome = 'positive' AND n % 3 <> 0) THEN 'F' ELSE 'P' END, 'auto/1', ARRAY[pg_temp.row_id(11, result_n)],
       CASE outcome WHEN 'negative' THEN '{}' WHEN 'positive' THEN '{positive}' ELSE '{pool_not_resolved}' END::text[], true, measured,
       CASE WHEN outcome = 'negative' THEN measured WHEN outcome = 'positive' AND n % 3 <> 0 THEN measured + interval '40 min' END,
       CASE WHEN outcome = 'negative' THEN 'auto/1' WHEN outcome = 'positive' AND n % 3 <> 0 THEN 'bench' END
FROM said;
INSERT INTO recollection (id, site_id, specimen_id, person_id, why, state, created_at)
SELECT pg_temp.row_id(13, n), :site, pg_temp.row_id(4, n), pg_temp.row_id(3, n), 'field pool detected', 'open', measured FROM said WHERE outcome = 'preliminary';
INSERT INTO f0_case (id, site_id, person_id, finding_id, state, basis, definition, sequence, opened_at, changed_at)
SELECT pg_temp.row_id(14, n), :site, pg_temp.row_id(3, n), pg_temp.row_id(12, n), CASE WHEN n % 3 <> 0 THEN 'confirmed' ELSE 'presumptive' END, 'pcr', 'vn-2021', 1, measured, measured
FROM said WHERE outcome = 'positive';
INSERT INTO notice (id, site_id, subscription_id, kind, case_id, sequence, facts, state, attempts, next_attempt_at, created_at, delivered_at)
SELECT pg_temp.row_id(15, n), :site, :subscription, 'case.opened', pg_temp.row_id(14, n), 1, '{}', 'delivered', 1, measured, measured,
       measured + (2 + 40 * pg_temp.rnd(n, 9)) * interval '1 second' FROM said WHERE outcome = 'positive';
INSERT INTO claim (id, site_id, case_id, team_id, claimed_by, claimed_at)
SELECT pg_temp.row_id(16, n), :site, pg_temp.row_id(14, n), :team, 'bench', measured + (3 + 25 * pg_temp.rnd(n, 10)) * interval '1 min'
FROM said WHERE outcome = 'positive' AND n % 5 <> 0;
INSERT INTO specimen (id, site_id, person_id, material, collected_at, registered_at, registered_by, body_digest)
SELECT pg_temp.row_id(17, n), :site, pg_temp.row_id(3, n), 'antigen', CAST(:day AS timestamptz) + interval '8 hours', :day, 'bench', '0' FROM generate_series(1, :tubes / 500) n;
INSERT INTO kit (id, site_id, name, reads_from_min, reads_to_min, window_source, created_at)
VALUES (pg_temp.row_id(19, 1), :site, :name, 15, 30, 'bench', :day);
INSERT INTO kit_lot (id, site_id, kit_id, lot, source, registered_at, registered_by)
SELECT pg_temp.row_id(20, n), :site, pg_temp.row_id(19, 1), 'VN-' || (2190 + n), 'told', :day, 'bench' FROM generate_series(0, 6) n;
INSERT INTO rapid_test (id, site_id, specimen_id, outcome, kit_lot_id, exposure, suspect, started_at, read_at)
SELECT pg_temp.row_id(18, n), :site, pg_temp.row_id(17, n), CASE WHEN n % 40 = 0 THEN 'positive' WHEN n % 61 = 0 THEN 'invalid' ELSE 'negative' END,
       pg_temp.row_id(20, n % 7), 'none', false, CAST(:day AS timestamptz) + interval '8 hours', CAST(:day AS timestamptz) + interval '8 hours 20 min' FROM generate_series(1, :tubes / 500) n;
