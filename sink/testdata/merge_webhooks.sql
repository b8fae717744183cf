WITH page AS MATERIALIZED (
	SELECT p."id"::bigint AS "id",
		p."created_on"::timestamptz AS "created_on",
		p."updated_on"::timestamptz AS "updated_on",
		p."target_url",
		p."event",
		p."where",
		p."last_status_code"::bigint AS "last_status_code",
		p._absent::integer[] AS _absent,
		p._extra::jsonb AS _extra,
		p._issues::jsonb AS _issues
	FROM unnest(
		$5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[]
	) AS p ("id", "created_on", "updated_on", "target_url", "event", "where", "last_status_code", _absent, _extra, _issues)
), changed AS (
	SELECT p.id, m.*, p._extra, p._issues,
		t.id IS NULL OR t._deleted_at IS NULL AND coalesce(m.updated_on > t.updated_on, false)
			OR (t._deleted_at IS NOT NULL OR NOT coalesce(m.updated_on < t.updated_on AND t.updated_on <= $4::timestamptz, false))
				AND ($2::timestamptz > t._synced_at OR t._synced_at > statement_timestamp()) AS _wins,
		m.updated_on <= $3::timestamptz
			AND (t.id IS NULL AND coalesce(m.created_on <= $3::timestamptz, true) OR t._deleted_at IS NULL AND m.updated_on > t.updated_on) AS _late,
		t.id IS NOT NULL AND t._deleted_at IS NULL
			AND (m."created_on" IS NULL AND t."created_on" IS NOT NULL
				OR m."updated_on" IS NULL AND t."updated_on" IS NOT NULL
				OR m."target_url" IS NULL AND t."target_url" IS NOT NULL
				OR m."event" IS NULL AND t."event" IS NOT NULL
				OR m."where" IS NULL AND t."where" IS NOT NULL
				OR m."last_status_code" IS NULL AND t."last_status_code" IS NOT NULL) AS _blanks,
		$2::timestamptz > 'epoch' AND t._synced_at > $2::timestamptz AND t._synced_at <= statement_timestamp()
			AND t._deleted_at IS NULL AND coalesce(m.updated_on < t.updated_on, false) AS _overtaken
	FROM page AS p
	LEFT JOIN LATERAL (
		SELECT *
		FROM "paymo"."webhooks"
		WHERE id = p.id
		OFFSET 0
	) AS t ON true
	CROSS JOIN LATERAL (
		SELECT CASE WHEN 1 = ANY (p._absent) THEN t."created_on" ELSE p."created_on" END AS "created_on",
			CASE WHEN 2 = ANY (p._absent) THEN t."updated_on" ELSE p."updated_on" END AS "updated_on",
			CASE WHEN 3 = ANY (p._absent) THEN t."target_url" ELSE p."target_url" END AS "target_url",
			CASE WHEN 4 = ANY (p._absent) THEN t."event" ELSE p."event" END AS "event",
			CASE WHEN 5 = ANY (p._absent) THEN t."where" ELSE p."where" END AS "where",
			CASE WHEN 6 = ANY (p._absent) THEN t."last_status_code" ELSE p."last_status_code" END AS "last_status_code"
	) AS m
	WHERE t.id IS NULL
		OR t._deleted_at IS NOT NULL
		OR (m."created_on", m."updated_on", m."target_url", m."event", m."where", p._extra, p._issues)
			IS DISTINCT FROM (t."created_on", t."updated_on", t."target_url", t."event", t."where", t._extra, t._issues)
		OR $1::boolean AND ROW (m."last_status_code") IS DISTINCT FROM ROW (t."last_status_code")
), written AS (
	INSERT INTO "paymo"."webhooks" AS t ("id", "created_on", "updated_on", "target_url", "event", "where", "last_status_code", _synced_at, _extra, _issues)
	SELECT "id", "created_on", "updated_on", "target_url", "event", "where", "last_status_code", statement_timestamp(), _extra, _issues
	FROM changed
	WHERE _wins
	ON CONFLICT (id) DO UPDATE SET
		"created_on" = EXCLUDED."created_on",
		"updated_on" = EXCLUDED."updated_on",
		"target_url" = EXCLUDED."target_url",
		"event" = EXCLUDED."event",
		"where" = EXCLUDED."where",
		"last_status_code" = EXCLUDED."last_status_code",
		_synced_at = EXCLUDED._synced_at,
		_deleted_at = NULL,
		_extra = EXCLUDED._extra,
		_issues = EXCLUDED._issues
	RETURNING xmax = 0 AS inserted
)
SELECT w.inserted, w.updated, c.late, c.blanked, c.stale
FROM (
	SELECT count(*) FILTER (WHERE inserted) AS inserted,
		count(*) FILTER (WHERE NOT inserted) AS updated
	FROM written
) AS w
CROSS JOIN (
	SELECT count(*) FILTER (WHERE _late) AS late,
		count(*) FILTER (WHERE _wins AND _blanks) AS blanked,
		array_agg(id) FILTER (WHERE NOT _wins AND NOT coalesce(_overtaken, false)) AS stale
	FROM changed
) AS c
