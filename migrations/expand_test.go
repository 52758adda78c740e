package migrations_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
)

// refusals are the rules that a migration breaks.
func refusals(m *migration) (all []string) {
	for _, r := range rules {
		if r.refuses(m) {
			all = append(all, r.instead)
		}
	}
	return all
}

// Migrations expand first: workers of the version before go on while they are applied, and after.
func TestMigrations_leaveWorkersOfTheVersionBeforeAlone(t *testing.T) {
	t.Parallel()
	for line := range lines {
		for _, m := range files(t, line, true, testbed.SchemaBefore[line]) {
			require.NotEmpty(t, m.statements, m.name)
			require.Empty(t, refusals(m), m.name)
		}
	}
}

// A function of another signature beside one of before must not be one that workers of before may
// mean: with defaults it could be.
func TestMigrations_makeNoFunctionThatIsMistakenForOneOfBefore(t *testing.T) {
	t.Parallel()
	const function = `^create (?:or replace )?function ([a-z_]+)\(`
	before := map[string]bool{}
	for line := range lines {
		for _, m := range files(t, line, false, testbed.SchemaBefore[line]) {
			for _, s := range m.statements {
				if found := s.matches(function); found != nil {
					before[found[1]] = true
				}
			}
		}
	}
	require.Contains(t, before, "save_batches")
	for line := range lines {
		for _, m := range files(t, line, true, testbed.SchemaBefore[line]) {
			for _, s := range m.statements {
				if found := s.matches(function); found != nil && before[found[1]] {
					require.NotRegexp(t, `\bdefault\b|\bvariadic\b`, s, m.name)
				}
			}
		}
	}
}

// Each rule refuses what it is about.
func TestRules_refuseTheirExamples(t *testing.T) {
	t.Parallel()
	for _, r := range rules {
		require.Contains(t, refusals(parse("example", upOf(r.example))), r.instead, r.example)
	}
	for _, more := range []string{
		`alter table batches add column a text, add column b numeric(3, 1) not null, add column c text;`,
		`alter table lines add primary key (orderid);`,
		`alter table lines add foreign key (batchref) references batch_keys;`,
		`alter table lines add unique (orderid);`,
		`alter table lines alter qty set data type numeric;`,
		`alter table lines drop qty;`,
		`alter table lines add column at timestamptz default clock_timestamp();`,
		`alter type line_state rename value 'waiting' to 'waits';`,
		`delete from outbox where day < '2020-01-01';`,
		`with old as (select * from lines) update lines set qty = 1;`,
		`truncate dead_letters;`,
		"create table colours (of text);\ncreate index colours_by_of on colours (of);\ncreate index lines_by_qty on lines (qty);",
		`cluster lines using lines_pkey;`,
	} {
		require.NotEmpty(t, refusals(parse("example", upOf(more))), more)
	}
}

func TestRules_letPassWhatDisturbsNobody(t *testing.T) {
	t.Parallel()
	for _, sql := range []string{
		"create table colours (of text not null default gen_random_uuid(), n bigint generated always as identity, check (of <> ''));\ncreate unique index colours_by_of on colours (of);\nalter table colours add check (n > 0);\ndelete from colours;",
		`alter table lines add column colour text, add column size integer not null default 0, add column at timestamptz default now();`,
		`alter table lines alter column colour set default 'red';`,
		`alter table lines add constraint colour_known check (colour in ('red', 'blue')) not valid;`,
		"-- +goose NO TRANSACTION\n-- +goose Up\nset lock_timeout = '10min';\ndrop index concurrently if exists lines_by_colour;\ncreate index concurrently lines_by_colour on lines (colour);\nreset lock_timeout;\nalter table lines validate constraint colour_known;",
		"-- +goose StatementBegin\ncreate or replace function colour() returns text language plpgsql as $$\nbegin\n    update lines set qty = 1;\n    lock table lines;\nend $$;\n-- +goose StatementEnd\nselect colour();",
		"alter table dead_letters add column colour text;\nalter table outbox add column colour text;",
	} {
		require.Empty(t, refusals(parse("example", upOf(sql))), sql)
	}
}

func upOf(sql string) string {
	if strings.Contains(sql, "-- +goose Up") {
		return sql
	}
	return "-- +goose Up\n" + sql + "\n-- +goose Down\ndrop table lines;"
}
