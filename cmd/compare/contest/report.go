package contest

import (
	"encoding/json"
	"io"
	"sync"
)

// Report counts transactions and the commands in them.
type Report struct {
	mu sync.Mutex
	// Transactions that committed commands, the commands, and the most of one transaction.
	Transactions int64 `json:"transactions"`
	Commands     int64 `json:"commands"`
	Largest      int64 `json:"largest"`
}

// Committed counts one transaction.
func (r *Report) Committed(commands int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Transactions++
	r.Commands += int64(commands)
	r.Largest = max(r.Largest, int64(commands))
}

// Print writes the report as one line of JSON.
func (r *Report) Print(w io.Writer) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return json.NewEncoder(w).Encode(r)
}
