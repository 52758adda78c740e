package products

import (
	"context"
	"encoding/json"
)

// UndispatchedLines lists lines that wait, as WaitingLines does, and then those that have a batch,
// as AllocatedLines does, after one. The keys of the former have three parts.
func (v View) UndispatchedLines(ctx context.Context, f LineFilter, after string, limit int) (list List[ListedLine], err error) {
	var parts [3]json.RawMessage
	n, err := readKey(after, &parts[0], &parts[1], &parts[2])
	if err != nil {
		return list, err
	}
	if n == 0 || n == len(parts) {
		list, err = v.WaitingLines(ctx, f, after, limit)
		if err != nil || list.Next != "" {
			return list, err
		}
		after = ""
	}
	if len(list.Rows) == limit {
		list.Next = writeKey("") // before all batches
		return list, nil
	}
	allocated, err := v.AllocatedLines(ctx, f, after, limit-len(list.Rows))
	return List[ListedLine]{append(list.Rows, allocated.Rows...), allocated.Next}, err
}
