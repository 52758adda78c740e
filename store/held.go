package store

import (
	"maps"

	"github.com/jackc/pgx/v5"

	"allocation/worker"
)

// reasonInternal is the reason of a dead letter that failed unexpectedly, and holds its key.
const reasonInternal = "internal"

// waitsSQL says of a held key k and its dead letter d that the command waits for a newer worker. A
// worker of the version before that holds the key again for another letter leaves waits_until as it
// was.
const waitsSQL = `k.waits_until is not null and d.state = 'open' and d.reason = '` + worker.ReasonNewer + `'`

// held are the keys whose commands wait, as far as this and earlier transactions have asked.
//
// It is read without locks. The write checks that no other key of the aggregate is held. A foreign
// key of held_commands checks that the key of a parked command is still held.
type held struct {
	keys  map[string]struct{}
	names map[string]string   // what waiting commands would create, and their keys
	asked map[string]struct{} // keys of which it is known whether they are held
	any   bool                // some key was held when it was asked last
}

func newHeld() held {
	return held{keys: map[string]struct{}{}, names: map[string]string{}, asked: map[string]struct{}{}}
}

// As long as nothing is held, all but the first part end before they begin.
const heldSQL = `
select '', '' where exists (select from held_keys)
union all
select key, '' from held_keys where key = any($1)
union all
select w.* from unnest($2::text[]) n (name)
cross join lateral (
    select key, creates from held_keys where creates = n.name
    union all select key, creates from held_commands where creates = n.name) w
where exists (select from held_keys)`

func (h *held) learn(results pgx.BatchResults, asked []string) error {
	rows, _ := results.Query() // its error is that of the rows, too
	h.any = false
	var key, name string
	_, err := pgx.ForEachRow(rows, []any{&key, &name}, func() error {
		h.any = true
		if key != "" {
			h.add(key, name)
		}
		return nil
	})
	if err == nil && h.any {
		for _, key := range asked {
			h.asked[key] = struct{}{}
		}
	}
	return err
}

func (h *held) has(key string) bool {
	_, is := h.keys[key]
	return is
}

// unknown reports whether a key may be held that nobody asked about. Where nothing is held, nobody
// has to ask.
func (h *held) unknown(key string) bool {
	if !h.any || key == "" || h.has(key) {
		return false
	}
	_, asked := h.asked[key]
	return !asked
}

// free forgets that keys are held.
func (h *held) free(keys []string) {
	for _, key := range keys {
		delete(h.keys, key)
		maps.DeleteFunc(h.names, func(_, holder string) bool { return holder == key })
	}
	if len(h.asked) > maxAsked {
		clear(h.asked)
	}
}

// maxAsked bounds what is remembered of keys that are not held.
const maxAsked = 20_000

func (h *held) add(key, name string) {
	h.keys[key] = struct{}{}
	if name != "" {
		h.names[name] = key
	}
}
