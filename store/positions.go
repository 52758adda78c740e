package store

import (
	"context"
	"strconv"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"allocation/worker"
)

// SavePublished writes how far rows are published, for partitions without commands. Other
// partitions write it with their next transaction. It returns the sources whose claim another
// worker has taken. Positions that a session outside of the service has locked are left out, and
// the error is a *worker.LockedError.
func (s *Store) SavePublished(ctx context.Context, progress []worker.Progress) (lost []int32, err error) {
	is := func(i int, h *foreignLock) bool { return h.source == progress[i].Source }
	return lost, s.aroundLocked(ctx, "save published rows", len(progress), is, func(ctx context.Context, conn *pgxpool.Conn, free []int) (err error) {
		sources, tokens, published := make([]int32, len(free)), make([]worker.Token, len(free)), make([]int64, len(free))
		for n, i := range free {
			sources[n], tokens[n], published[n] = progress[i].Source, progress[i].Token, progress[i].Published
		}
		rows, _ := conn.Query(ctx, `select save_published($1, $2, $3)`, sources, tokens, published) // its error is that of the rows, too
		lost, err = pgx.CollectRows(rows, pgx.RowTo[int32])
		return err
	})
}

// Published reads the published rows of sources, whichever worker owns them.
func (s *Store) Published(ctx context.Context, sources []int32) (map[int32]int64, error) {
	published := make(map[int32]int64, len(sources))
	var source int32
	var row int64
	return published, s.each(ctx, "read published rows", []any{&source, &row}, func() error {
		published[source] = row
		return nil
	}, `select source, published_row from positions where source = any($1)`, sources)
}

// Channels of the schema.
const (
	nudgeChannel   = "nudge"   // carries, as a comma-separated list, sources whose published row somebody waits for
	decidedChannel = "decided" // an operator decided something
	nonceChannel   = "nonces"  // somebody wants to know which workers are of this database
)

// connect opens a connection that is not the pool's, with the secrets and certificates of now, as
// the pool does.
func (s *Store) connect(ctx context.Context) (*pgx.Conn, error) {
	cfg := s.pool.Config()
	if cfg.BeforeConnect != nil {
		if err := cfg.BeforeConnect(ctx, cfg.ConnConfig); err != nil {
			return nil, err
		}
	}
	return pgx.ConnectConfig(ctx, cfg.ConnConfig)
}

// Nudge asks the owners of sources to save their published rows soon.
func (s *Store) Nudge(ctx context.Context, sources []int32) error {
	text := make([]string, len(sources))
	for i, source := range sources {
		text[i] = strconv.Itoa(int(source))
	}
	return s.exec(ctx, "nudge", `select pg_notify($1, $2)`, s.schema.Channel(nudgeChannel), strings.Join(text, ","))
}

// Listen calls nudged for each nudge, decided for each decision, and nonceAsked when all are to
// write a nonce, until the context or the connection ends. It holds a connection of its own.
func (s *Store) Listen(ctx context.Context, nudged func(sources []int32), decided, nonceAsked func()) error {
	conn, err := s.connect(ctx)
	if err != nil {
		return readError("listen", err)
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, channel := range []string{nudgeChannel, decidedChannel, nonceChannel} {
		if _, err := conn.Exec(ctx, "listen "+s.schema.Channel(channel)); err != nil {
			return readError("listen", err)
		}
	}
	nonceAsked() // perhaps somebody did before
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return readError("listen", err)
		}
		switch n.Channel {
		case s.schema.Channel(decidedChannel):
			decided()
		case s.schema.Channel(nonceChannel):
			nonceAsked()
		default:
			nudged(sourcesIn(n.Payload))
		}
	}
}
