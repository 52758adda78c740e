package await

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"
)

// Yes returns when a Postgres server answers a question, whose answer is true or false, by true.
func Yes(ctx context.Context, url, question string) error {
	return Ready(ctx, nil, func(ctx context.Context) error {
		conn, err := pgx.Connect(ctx, url)
		if err != nil {
			return err
		}
		defer conn.Close(ctx)
		yes := false
		err = conn.QueryRow(ctx, question).Scan(&yes)
		if err == nil && !yes {
			err = fmt.Errorf("%s: no", question)
		}
		return err
	})
}
