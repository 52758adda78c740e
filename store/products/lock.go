package products

import (
	"context"
	"slices"

	"allocation/store"
)

// absentSQL finds the products and batches that commands name and that do not exist. A range of one
// value has Postgres look each of them up in the index, however many there are.
const absentSQL = `
select from unnest($1::text[]) v (sku) where not exists (select from products p where p.sku >= v.sku and p.sku <= v.sku)
union all
select from unnest($2::text[]) v (ref) where not exists (select from batches b where b.ref >= v.ref and b.ref <= v.ref)`

const lockProductsSQL = `
select from products where sku = any(array(select unnest($1::text[]) union select sku from batches where ref = any($2::text[])))
order by sku for no key update`

// lock locks the table absences and the products of all commands, in the order of the write and as
// the write is going to need them. So it does not deadlock with others, which would cost each of
// them Postgres' deadlock_timeout.
func (p *aggregate) lock(ctx context.Context, tx *store.Tx) error {
	var needed, skus, batches, made []string
	for i, c := range p.commands {
		keys := &p.keys[i]
		switch {
		case c == nil:
			continue
		case keys.Makes != "":
			made = append(made, keys.Makes)
		default:
			needed, batches = append(needed, keys.SKU), append(batches, keys.Batch)
		}
		skus = append(skus, keys.SKU)
	}
	needed, batches = named(needed), named(batches)
	absent, err := tx.Count(ctx, absentSQL, needed, batches)
	if err != nil {
		return err
	}
	if mode := absencesMode(absent > 0, len(made) > 0); mode != "" {
		if err := tx.Lock(ctx, `lock table absences in `+mode+` mode`); err != nil {
			return err
		}
	}
	return tx.Lock(ctx, lockProductsSQL, skus, append(batches, made...))
}

// named leaves out what a command does not name.
func named(names []string) []string {
	return slices.DeleteFunc(names, func(name string) bool { return name == "" })
}

// absencesMode is how save_products locks the table absences; empty: not at all.
func absencesMode(relies, makes bool) string {
	switch {
	case relies && makes:
		return "share row exclusive"
	case relies:
		return "share"
	case makes:
		return "row exclusive"
	}
	return ""
}
