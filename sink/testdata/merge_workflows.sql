WITH page AS MATERIALIZED (
	SELECT p."id"::bigint AS "id",
		p."name",
		p."is_default"::boolean AS "is_default",
		p."created_on"::timestamptz AS "created_on",
		p."updated_on"::timestamptz AS "updated_on",
		p._absent::integer[] AS _absent,
		p._extra::jsonb AS _extra,
		p._issues::jsonb AS _issues
	FROM unnest(
		$5::text[], $6::text[], $7::text[], $8::text[], $9::text[], $10::text[], $11::text[], $12::text[]
	) AS p ("id", "name", "is_default", "created_on", "updated_on", _absent, _extra, _issues)
), changed AS (
	SELECT p.id, m.*, p._extra, p._issues,
		t.id IS NULL OR t._deleted_at IS NULL AND coalesce(m.updated_on > t.updated_on, false)
			OR (t._deleted_at IS NOT NULL OR NOT coalesce(m.updated_on < t.updated_on AND t.updated_on <= $4::timestamptz, false))
				AND ($2::timestamptz > t._synced_at OR t._synced_at > statement_timestamp()) AS _wins,
		m.updated_on <= $3::timestamptz
			AND (t.id IS NULL AND coalesce(m.created_on <= $3::timestamptz, true) OR t._deleted_at IS NULL AND m.updated_on > t.updated_on) AS _late,
		t.id IS NOT NULL AND t._deleted_at IS NULL
			AND (m."name" IS NULL AND t."name" IS NOT NULL
				OR m."is_default" IS NULL AND t."is_default" IS NOT NULL
				OR m."created_on" IS NULL AND t."created_on" IS NOT NULL
				OR m."updated_on" IS NULL AND t."updated_on" IS NOT NULL) AS _blanks,
		$2::timestamptz > 'epoch' AND t._synced_at > $2::timestamptz AND t._synced_at <= statement_timestamp()
			AND t._deleted_at IS NULL AND coalesce(m.updated_on < t.updated_on, false) AS _overtaken
	FROM page AS p
	LEFT JOIN LATERAL (
		SELECT *
		FROM "paymo"."workflows"
		WHERE id = p.id
		OFFSET 0
	) AS t ON true
	CROSS JOIN LATERAL (
		SELECT CASE WHEN 1 = ANY (p._absent) THEN t."name" ELSE p."name" END AS "name",
			CASE WHEN 2 = ANY (p._absent) THEN t."is_default" ELSE p."is_default" END AS "is_default",
			CASE WHEN 3 = ANY (p._absent) THEN t."created_on" ELSE p."created_on" END AS "created_on",
			CASE WHEN 4 = ANY (p._absent) THEN t."updated_on" ELSE p."updated_on" END AS "updated_on"
	) AS m
	WHERE t.id IS NULL
		OR t._deleted_at IS NOT NULL
		OR (m."name", m."is_default", m."created_on", m."updated_on", p._extra, p._issues)
			IS DISTINCT FROM (t."name", t."is_default", t."created_on", t."updated_on", t._extra, t._issues)
		OR $1::boolean AND false
), written AS (
	INSERT INTO "paymo"."workflows" AS t ("id", "name", "is_default", "created_on", "updated_on", _synced_at, _extra, _issues)
	SELECT "id", "name", "is_default", "created_on", "updated_on", statement_timestamp(), _extra, _issues
	FROM changed
	WHERE _wins
	ON CONFLICT (id) DO UPDATE SET
		"name" = EXCLUDED."name",
		"is_default" = EXCLUDED."is_default",
		"created_on" = EXCLUDED."created_on",
		"updated_on" = EXCLUDED."updated_on",
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
