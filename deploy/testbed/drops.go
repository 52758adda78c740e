package testbed

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// cleanupTime is how long removing a test's databases or topics may take.
const cleanupTime = time.Minute

// drops are databases that are being dropped. Each drop waits for a checkpoint of the server, which
// several of them share; no test waits for it.
type drops struct {
	running sync.WaitGroup
	atEnd   func() // drops what all tests used

	mu  sync.Mutex
	err error
}

var dropped = &drops{atEnd: func() {}}

func (d *drops) drop(server, name string) {
	d.running.Go(func() {
		ctx, cancel := context.WithTimeout(context.Background(), cleanupTime)
		defer cancel()
		if err := execute(ctx, server, "DROP DATABASE IF EXISTS "+pgx.Identifier{name}.Sanitize()+" WITH (FORCE)"); err != nil {
			d.mu.Lock()
			defer d.mu.Unlock()
			d.err = errors.Join(d.err, fmt.Errorf("drop the database %s: %w", name, err))
		}
	})
}

// wait returns when all are dropped.
func (d *drops) wait() error {
	d.atEnd()
	d.running.Wait()
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.err
}
