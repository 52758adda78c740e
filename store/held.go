package store

import (
	"maps"

	"github.com/jackc/pgx/v5"

	"allocation/domain"
	"allocation/worker"
)

// reasonInternal is the reason of a dead letter that failed unexpectedly, and holds its product.
const reasonInternal = "internal"

// held are the products whose commands wait, as far as this and earlier transactions have asked.
//
// It is read without locks. The write checks that no other product that it relies on is held, and
// what begins to wait must find its product still held, which the foreign key of held_commands sees
// to.
type held struct {
	keys map[string]struct{}
	refs map[string]string // batches that waiting commands would make, and their products
}

func newHeld() held { return held{map[string]struct{}{}, map[string]string{}} }

// As long as nothing is held, all but the first part end before they begin.
const heldSQL = `
select key, '' from held_keys where key = any($1)
union all
select w.* from unnest($2::text[]) n (ref)
cross join lateral (
    select key, ref from held_keys where ref = n.ref
    union all select key, ref from held_commands where ref = n.ref
    union all select k.key, '' from batches b join held_keys k on k.key = b.sku where b.ref = n.ref) w
where exists (select from held_keys)`

func (h *held) learn(results pgx.BatchResults) error {
	rows, err := results.Query()
	if err != nil {
		return err
	}
	var key, ref string
	_, err = pgx.ForEachRow(rows, []any{&key, &ref}, func() error {
		h.add(key, ref)
		return nil
	})
	return err
}

// free forgets that products are held.
func (h *held) free(keys []string) {
	for _, key := range keys {
		delete(h.keys, key)
		maps.DeleteFunc(h.refs, func(_, holder string) bool { return holder == key })
	}
}

func (h *held) add(key, ref string) {
	h.keys[key] = struct{}{}
	if ref != "" {
		h.refs[ref] = key
	}
}

// holding says what became of commands that were not decided, by command of the batch.
type holding struct {
	waits map[int]string // the product behind whose failed command it waits
	holds map[int]string // it failed: the product that it holds
}

// waitsOrHolds reports whether a command is not to be decided: its product is held, or it failed
// itself.
func (d *decisions) waitsOrHolds(i int, sku, makes string) bool {
	c := &d.batch.Commands[i]
	_, isHeld := d.loaded.held.keys[sku]
	switch {
	case isHeld && (c.Kept == nil || c.Kept.HeldKey != sku):
		if d.waits == nil {
			d.waits = map[int]string{}
		}
		d.waits[i] = sku
		d.results[i] = domain.Result{}
	case c.Failure != "":
		if sku == "" {
			return true
		}
		if d.holds == nil {
			d.holds = map[int]string{}
		}
		d.holds[i] = sku
	default:
		return false
	}
	d.loaded.held.add(sku, makes)
	return true
}

// expect says what a command needs. Of one that failed that is only its product: loading more might
// be what fails.
func (d *decisions) expect(need *domain.Need, i int, c domain.Command) {
	if d.batch.Commands[i].Failure == "" {
		need.Expect(c)
		return
	}
	keys := c.Keys()
	if keys.SKU != "" {
		need.Products[keys.SKU] = &domain.ProductNeed{}
	}
	for _, ref := range [...]string{keys.Batch, keys.Makes} {
		if ref != "" {
			need.Batches[ref] = domain.BatchNeed{ShrinkTo: domain.NoShrink}
		}
	}
}

// decodeFailed reads a command that failed, for its product. Reading it may be what failed; then
// nothing can be held.
func decodeFailed(c *worker.Command) (decoded domain.Command) {
	defer func() {
		if recover() != nil {
			decoded = nil
		}
	}()
	if c.Refusal != nil {
		return nil
	}
	decoded, _ = domain.DecodeCommand(c.Type, c.Data)
	return decoded
}
