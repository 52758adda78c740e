package status

import (
	"context"
	"time"

	"allocation/cmd/internal/cli"
	"allocation/store"
)

// TransactionNeeds is what needs a person of the oldest transaction, where it is old at an age.
func TransactionNeeds(ctx context.Context, db *store.Store, old time.Duration) ([]Need, error) {
	s := &Status{}
	err := s.readTransaction(ctx, &cli.Program{}, db, old)
	return s.Needs, err
}
