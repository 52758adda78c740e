package outbox

import "container/heap"

// held are the rows of a source that wait for rows of other sources, and all later rows of the same
// keys. One goroutine owns it.
type held struct {
	keys map[string]*heldKey
	by   map[int32]*heldHeap // by the predecessor's source
	rows int
}

// heldKey is a key whose first row waits.
type heldKey struct{ rows []Row }

// heldHeap orders keys by the row that they wait for, lowest first.
type heldHeap []heldUntil

type heldUntil struct {
	row int64
	key string
}

// follow holds a row when an earlier one of its key is held.
func (h *held) follow(row *Row) bool {
	if len(h.keys) == 0 {
		return false
	}
	k, ok := h.keys[row.Key]
	if !ok {
		return false
	}
	k.rows = append(k.rows, *row)
	h.rows++
	return true
}

// begin holds rows of one key until the first one's predecessor is acknowledged.
func (h *held) begin(rows ...Row) {
	if h.keys == nil {
		h.keys, h.by = map[string]*heldKey{}, map[int32]*heldHeap{}
	}
	key, after := rows[0].Key, rows[0].After
	h.keys[key] = &heldKey{rows: rows}
	h.rows += len(rows)
	waiting, ok := h.by[after.Source]
	if !ok {
		waiting = &heldHeap{}
		h.by[after.Source] = waiting
	}
	heap.Push(waiting, heldUntil{after.Row, key})
}

// release takes out the rows of one key whose predecessor is below the published row of its source;
// nil when there is none.
func (h *held) release(source int32, published int64) []Row {
	waiting, ok := h.by[source]
	if !ok || (*waiting)[0].row >= published {
		return nil
	}
	key := heap.Pop(waiting).(heldUntil).key
	if waiting.Len() == 0 {
		delete(h.by, source)
	}
	rows := h.keys[key].rows
	delete(h.keys, key)
	h.rows -= len(rows)
	return rows
}

// lowest is the first row of a source that something waits for.
func (h *held) lowest(source int32) (int64, bool) {
	waiting, ok := h.by[source]
	if !ok {
		return 0, false
	}
	return (*waiting)[0].row, true
}

func (h heldHeap) Len() int           { return len(h) }
func (h heldHeap) Less(i, j int) bool { return h[i].row < h[j].row }
func (h heldHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *heldHeap) Push(x any)        { *h = append(*h, x.(heldUntil)) }
func (h *heldHeap) Pop() any {
	last := len(*h) - 1
	x := (*h)[last]
	*h = (*h)[:last]
	return x
}
