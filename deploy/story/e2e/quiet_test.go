package e2e

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
	"github.com/twmb/franz-go/pkg/kadm"

	"allocation/deploy/testbed"
)

// patience is how long nothing may move that is not done.
const patience = time.Minute

// quiet waits until nothing changes any more: all that was sent is applied, all that came of it is
// published, and no cart can expire. It may take long, but something has to move.
func (s *services) quiet(t *testing.T) {
	t.Helper()
	admin := testbed.Admin(t, s.kafka.Brokers())
	moved, last, before := time.Now(), "", ""
	looks := time.NewTicker(500 * time.Millisecond)
	defer looks.Stop()
	for range looks.C {
		state, done, err := s.look(t.Context(), admin)
		require.NoError(t, err)
		if done && state == before {
			return
		}
		before = ""
		if done {
			before = state // once more: what was just published may have had an effect
		}
		if state != last {
			moved, last = time.Now(), state
		}
		require.Less(t, time.Since(moved), patience, "nothing moves, and not all is done: %s", state)
		s.running()
	}
}

// lookSQL is how far a service is in each partition that it takes.
const lookSQL = `select topic || ' ' || partition, next_offset, next_row, published_row from %s.positions order by 1`

// look says how far everything is, and whether that is all.
func (s *services) look(ctx context.Context, admin *kadm.Client) (state string, done bool, err error) {
	ends, err := admin.ListEndOffsets(ctx)
	if err != nil {
		return "", false, err
	}
	conn, err := pgx.Connect(ctx, s.postgres.URL())
	if err != nil {
		return "", false, err
	}
	defer conn.Close(ctx)
	done = true
	var left []string
	sum := int64(0)
	for _, schema := range []string{"orders", "allocation", "warehouse"} {
		rows, err := conn.Query(ctx, fmt.Sprintf(lookSQL, schema))
		if err != nil {
			return "", false, err
		}
		var topicPartition string
		var next, row, published int64
		_, err = pgx.ForEachRow(rows, []any{&topicPartition, &next, &row, &published}, func() error {
			topic, partition, _ := strings.Cut(topicPartition, " ")
			var number int32
			if _, err := fmt.Sscan(partition, &number); err != nil {
				return err
			}
			end, _ := ends.Lookup(topic, number)
			sum += next + row + published
			if next < end.Offset || published < row {
				left = append(left, fmt.Sprintf("%s %s: %d of %d applied, %d of %d published", schema, topicPartition, next, end.Offset, published, row))
			}
			return nil
		})
		if err != nil {
			return "", false, err
		}
	}
	carts := 0
	err = conn.QueryRow(ctx, `select count(*) from orders.orders where phase = 'cart' and counts_from is not null`).Scan(&carts)
	if carts > 0 {
		left = append(left, fmt.Sprintf("%d carts can expire", carts))
	}
	slices.Sort(left)
	return fmt.Sprintf("%d in all\n%s", sum, strings.Join(left, "\n")), done && len(left) == 0, err
}
