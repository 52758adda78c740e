package outbox

import "container/heap"

// deferred are the rows of a source that wait for rows of other sources, and all later rows of the
// same keys. One goroutine owns it.
type deferred struct {
	keys map[string][]Row        // by key: its first row waits
	by   map[int32]*deferredHeap // by the predecessor's source
	rows int
}

// deferredHeap orders keys by the row that they wait for, lowest first.
type deferredHeap []deferredUntil

type deferredUntil struct {
	row int64
	key string
}

// follow defers a row when an earlier one of its key is deferred.
func (d *deferred) follow(row *Row) bool {
	if len(d.keys) == 0 {
		return false
	}
	rows, ok := d.keys[row.Key]
	if !ok {
		return false
	}
	d.keys[row.Key] = append(rows, *row)
	d.rows++
	return true
}

// begin defers rows of one key until the first one's predecessor is acknowledged.
func (d *deferred) begin(rows ...Row) {
	if d.keys == nil {
		d.keys, d.by = map[string][]Row{}, map[int32]*deferredHeap{}
	}
	key, after := rows[0].Key, rows[0].After
	d.keys[key] = rows
	d.rows += len(rows)
	waiting, ok := d.by[after.Source]
	if !ok {
		waiting = &deferredHeap{}
		d.by[after.Source] = waiting
	}
	heap.Push(waiting, deferredUntil{after.Row, key})
}

// release takes out the rows of one key whose predecessor is below the published row of its source;
// nil when there is none.
func (d *deferred) release(source int32, published int64) []Row {
	waiting, ok := d.by[source]
	if !ok || (*waiting)[0].row >= published {
		return nil
	}
	key := heap.Pop(waiting).(deferredUntil).key
	if waiting.Len() == 0 {
		delete(d.by, source)
	}
	rows := d.keys[key]
	delete(d.keys, key)
	d.rows -= len(rows)
	return rows
}

// lowest is the first row of a source that something waits for.
func (d *deferred) lowest(source int32) (int64, bool) {
	waiting, ok := d.by[source]
	if !ok {
		return 0, false
	}
	return (*waiting)[0].row, true
}

func (d deferredHeap) Len() int           { return len(d) }
func (d deferredHeap) Less(i, j int) bool { return d[i].row < d[j].row }
func (d deferredHeap) Swap(i, j int)      { d[i], d[j] = d[j], d[i] }
func (d *deferredHeap) Push(x any)        { *d = append(*d, x.(deferredUntil)) }
func (d *deferredHeap) Pop() any {
	last := len(*d) - 1
	x := (*d)[last]
	*d = (*d)[:last]
	return x
}
