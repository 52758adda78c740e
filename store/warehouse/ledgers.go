package warehouse

import (
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5"

	"allocation/domain/warehouse"
	"allocation/store"
)

// Article is the ledger of an article.
type Article struct {
	SKU string `json:"sku"`
	warehouse.Ledger
}

// Articles are the ledgers of articles, by SKU: of those that are named, or all.
func Articles(ctx context.Context, db *store.Store, skus ...string) ([]Article, error) {
	rows, err := db.Query(ctx, `select key, state from ledgers where article and ($1::text[] is null or key = any($1)) order by key`, skus)
	if err != nil {
		return nil, store.ShowError("read ledgers", err)
	}
	articles, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (a Article, err error) {
		var state []byte
		if err = row.Scan(&a.SKU, &state); err == nil {
			err = json.Unmarshal(state, &a.Ledger)
		}
		return a, err
	})
	return articles, store.ShowError("read ledgers", err)
}
