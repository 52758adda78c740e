package cli

import (
	"context"
	"errors"

	"allocation/cmd/internal/config"
	"allocation/store"
)

// ShowOne connects, finds one thing and prints it, for people or as JSON. Where the database does
// not know it, the error is what missing says.
func ShowOne[T any](ctx context.Context, p *Program, database config.Database, asJSON bool, missing string,
	find func(*store.Store) (*T, error), print func(*Program, *T) error,
) error {
	db, err := p.OpenStore(ctx, database)
	if err != nil {
		return err
	}
	defer db.Close()
	found, err := find(db)
	switch {
	case errors.Is(err, store.ErrUnknown):
		return errors.New(missing)
	case err != nil:
		return err
	case asJSON:
		return p.PrintJSON(found)
	}
	return print(p, found)
}
