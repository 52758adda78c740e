package contest

import (
	"context"

	"github.com/jackc/pgx/v5"
)

// batches makes one large batch for each product, when the table's name is put before it. Every
// contestant has the same.
const batches = ` (ref, sku, qty, allocated, version)
	select 'B-'||lpad(g::text,5,'0'), 'SKU-'||lpad(g::text,5,'0'), 1000000000, 0, 1 from generate_series(0, $1::int - 1) g`

// Prepare makes tables, and fills the one of batches.
func (s Settings) Prepare(ctx context.Context, tables, batchTable string) error {
	conn, err := pgx.Connect(ctx, s.Database)
	if err != nil {
		return err
	}
	defer conn.Close(ctx)
	if _, err := conn.Exec(ctx, tables); err != nil {
		return err
	}
	_, err = conn.Exec(ctx, "insert into "+batchTable+batches, Products)
	return err
}
