package event

import (
	"context"
	"errors"
	"fmt"

	"allocation/cmd/internal/operate/explain"
	"allocation/domain/product"
	"allocation/store"
	"allocation/store/products"
)

// Stale adds to a command without effect that its batch has a revision that is not below its
// own. The batch keeps the last one only, so that may have come later.
func Stale(ctx context.Context, db *store.Store, e *explain.Explained) error {
	cmd, _ := product.DecodeCommand(e.Type, e.Data) // what cannot be read was not without effect
	change, ok := cmd.(product.ChangeBatchQuantity)
	if !ok || change.Revision == product.NoRevision {
		return nil
	}
	b, err := products.View{Store: db}.Batch(ctx, change.BatchRef, 1)
	if errors.Is(err, store.ErrUnknown) {
		return nil
	}
	if err == nil && b.Revision != nil && *b.Revision >= change.Revision {
		e.Say("applied", fmt.Sprintf("; its revision is %d, and batch %s has revision %d: it must be above", change.Revision, b.Ref, *b.Revision))
	}
	return err
}
