package migrations_test

import (
	"regexp"
	"slices"
	"strings"
)

// rule is about what a migration may not do. It is applied while workers of the version before
// work, and they go on after it.
type rule struct {
	instead string // what to do
	example string // what the rule refuses
	refuses func(*migration) bool
}

// rules know a table that the migration itself makes from one of before: only the latter may be
// large, or in use.
var rules = []rule{
	{"let the column be null, or give it a constant default: workers of before do not write it",
		`alter table lines add column colour text not null;`,
		inAction(func(a string) bool {
			return isAdd(a) && strings.Contains(a, " not null") && !strings.Contains(a, " default ")
		})},
	{"give the column a constant default, or none and set it with `alter column … set default` after: anything else rewrites the table",
		`alter table lines add column id uuid default gen_random_uuid();`,
		inAction(func(a string) bool {
			return isAdd(a) && strings.Contains(a, " default ") && !constantDefault.MatchString(a)
		})},
	{"add a plain column: one that is generated, or counts, rewrites the table",
		`alter table lines add column twice bigint generated always as (qty * 2) stored;`,
		inAction(func(a string) bool { return isAdd(a) && rewriting.MatchString(a) })},
	{"add the column without a constraint, and the constraint with `not valid`: else the whole table is read under a lock",
		`alter table lines add column batch text references batches;`,
		inAction(func(a string) bool { return isAdd(a) && inlineConstraint.MatchString(a) })},
	{"say `add constraint … not valid`, and `validate constraint` in a migration after it without a transaction",
		`alter table lines add constraint positive check (qty > 0);`,
		inAction(func(a string) bool {
			return strings.HasPrefix(a, "add ") && !isAdd(a) && !strings.HasSuffix(a, " not valid")
		})},
	{"leave the column: workers of before read and write it. Once no worker does any more, drop it in the version after",
		`alter table lines drop column placed;`,
		inAction(func(a string) bool { return dropsColumn.MatchString(a) })},
	{"add a column or a table of the new name, and leave the old one: workers of before use it",
		`alter table lines rename column qty to quantity;`,
		anyStatement(`^alter .* rename `)},
	{"add a column of the new type: this rewrites the table, and workers of before write the old type",
		`alter table lines alter column qty type numeric;`,
		inAction(func(a string) bool { return changesType.MatchString(a) })},
	{"add `check (… is not null) not valid`, in the version after the one that writes the column: this reads the whole table, and workers of before write null",
		`alter table batches alter column last_row set not null;`,
		inAction(func(a string) bool { return strings.HasSuffix(a, " set not null") })},
	{"leave how the table is stored: this rewrites it",
		`alter table outbox set unlogged;`,
		inAction(func(a string) bool {
			return strings.HasPrefix(a, "set logged") || strings.HasPrefix(a, "set unlogged") || strings.HasPrefix(a, "set tablespace") || strings.HasPrefix(a, "set access method")
		})},
	{"leave it until no worker of before runs: drop it in the version after",
		`drop table absences;`,
		anyStatement(`^drop (table|view|materialized view|type|domain|sequence|schema|trigger|policy) `)},
	{"leave the function: workers of before call it. Make one of other parameters, or replace it with the same ones",
		`drop function save_batches(text[], bigint[], bigint[], text[], bigint[], text[]);`,
		anyStatement(`^(drop|alter) (function|procedure|routine|aggregate) `)},
	{"make the index concurrently, in a migration with `-- +goose NO TRANSACTION`: workers cannot write the table meanwhile",
		`create index lines_by_order on lines (orderid);`,
		indexOfBefore(func(s statement) bool { return s.matches(`^create (unique )?index concurrently `) == nil })},
	{"make an index that is not unique: workers of before may write what it refuses",
		`create unique index concurrently batches_by_place on batches (last_source, last_row);`,
		indexOfBefore(func(s statement) bool { return s.matches(`^create unique `) != nil })},
	{"drop the index concurrently, in a migration with `-- +goose NO TRANSACTION`: workers wait behind who waits for its lock",
		`drop index if exists lines_by_order; ` + "\n" + `create index concurrently lines_by_order on lines (orderid);`,
		anyStatement(`^drop index (if|[^c]|c[^o])`)},
	{"leave the index, which workers of before look things up by: drop it in the version after",
		`drop index concurrently lines_waiting;`,
		eachStatement(func(m *migration, s statement) bool {
			found := s.matches(`^drop index (?:concurrently )?(?:if exists )?(.*)$`)
			return found != nil && slices.ContainsFunc(strings.Split(found[1], ", "), func(name string) bool { return !m.makes("index", name) })
		})},
	{"lock no table: what has to see no other writer has to be done by the workers themselves",
		`lock table outbox in share mode;`,
		anyStatement(`^lock `)},
	{"leave the rows as they are, and let the program do with old ones what it can: a change of all rows locks them, and doubles the table",
		`update lines set placed_at = now();`,
		eachStatement(func(m *migration, s statement) bool {
			found := s.matches(`^(?:with .*\) )?(?:update|delete from|truncate(?: table)?|merge into) (?:only )?([a-z_]+)`)
			return found != nil && !m.makes("table", found[1])
		})},
	{"leave that to autovacuum, or to an operator: it locks a whole table",
		`vacuum full lines;`,
		anyStatement(`^(vacuum|cluster|reindex|refresh) `)},
	{"write plain statements, which these rules can read",
		`do $$ begin update lines set qty = 1; end $$;`,
		anyStatement(`^(do|call|execute) `)},
	{"wait longer than migrations.LockTimeout for what is done concurrently only: workers wait behind anything else that waits",
		"-- +goose NO TRANSACTION\n-- +goose Up\nset lock_timeout = '10min';\nalter table lines add column colour text;\nreset lock_timeout;",
		waitsLong},
	{"change tables of before in the order in which workers write them (" + strings.Join(workersOrder, ", ") + "): else the two wait for each other",
		"alter table outbox add column colour text;\nalter table dead_letters add column colour text;",
		locksOutOfOrder},
	{"without a transaction, make what may be there already (`create or replace`, `if not exists`, or `drop index concurrently if exists` before): it may be begun again after its middle",
		"-- +goose NO TRANSACTION\n-- +goose Up\ncreate function colour() returns text language sql as $$ select 'red' $$;",
		cannotBeginAgain},
}

var (
	constantDefault  = regexp.MustCompile(` default (null|true|false|-?[0-9]+|'[^']*'(::[a-z]+)?|now\(\))( not null)?$`)
	rewriting        = regexp.MustCompile(` generated | (small|big)?serial\b`)
	inlineConstraint = regexp.MustCompile(` (references|unique|primary key|check|exclude)\b`)
	dropsColumn      = regexp.MustCompile(`^drop (column |if exists |[a-z_]+$|[a-z_]+ (cascade|restrict)$)`)
	changesType      = regexp.MustCompile(`^alter (column )?\S+ (set data )?type `)
)

func isAdd(action string) bool { return strings.HasPrefix(action, "add column ") }

func eachStatement(refuses func(*migration, statement) bool) func(*migration) bool {
	return func(m *migration) bool {
		return slices.ContainsFunc(m.statements, func(s statement) bool { return refuses(m, s) })
	}
}

func anyStatement(pattern string) func(*migration) bool {
	return eachStatement(func(_ *migration, s statement) bool { return s.matches(pattern) != nil })
}

// inAction looks at each thing that is done to a table of before.
func inAction(refuses func(action string) bool) func(*migration) bool {
	return eachStatement(func(m *migration, s statement) bool {
		table, actions := s.alters()
		return table != "" && !m.makes("table", table) && slices.ContainsFunc(actions, refuses)
	})
}

func indexOfBefore(refuses func(statement) bool) func(*migration) bool {
	return eachStatement(func(m *migration, s statement) bool {
		found := s.matches(`^create (?:unique )?index .*?\bon (?:only )?([a-z_]+)`)
		return found != nil && !m.makes("table", found[1]) && refuses(s)
	})
}

func waitsLong(m *migration) bool {
	long := false
	for _, s := range m.statements {
		switch {
		case s.matches(`^set (session |local )?lock_timeout`) != nil:
			long = true
		case s == "reset lock_timeout":
			long = false
		case long && s.matches(`^(create index|drop index) concurrently `) == nil:
			return true
		}
	}
	return false
}

// workersOrder is how a transaction of a worker comes by the tables: store's save.
var workersOrder = []string{
	"positions", "absences", "products", "product_keys", "batches", "batch_keys", "lines", "held_keys", "dead_letters", "held_commands", "outbox",
}

func locksOutOfOrder(m *migration) bool {
	last := -1
	for _, s := range m.statements {
		table, _ := s.alters()
		if found := s.matches(`^create (?:constraint )?trigger .*? on ([a-z_]+)`); found != nil {
			table = found[1]
		}
		at := slices.Index(workersOrder, table)
		if at < 0 || m.makes("table", table) || !m.inOne {
			continue
		}
		if at < last {
			return true
		}
		last = at
	}
	return false
}

func cannotBeginAgain(m *migration) bool {
	if m.inOne {
		return false
	}
	for i, s := range m.statements {
		if index := s.matches(`^create index concurrently ([a-z_]+)`); index != nil && !slices.Contains(m.statements[:i], statement("drop index concurrently if exists "+index[1])) {
			return true
		}
		if s.matches(`^create (function|table|type|trigger|view|sequence) `) != nil && s.matches(` if not exists `) == nil {
			return true
		}
		if s.matches(`^alter table .* add column `) != nil && s.matches(` add column if not exists `) == nil {
			return true
		}
	}
	return false
}
