package products

import (
	"context"
	"net/url"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"allocation/deploy/testbed"
	"allocation/deploy/testbed/proxy"
	"allocation/store"

	"allocation/worker"
)

// Each call of a running worker ends as an outage where the network drops packets and keeps
// connections open. A call without a limit would stand still until the machine gives the connection
// up, which takes a quarter of an hour.
func TestStore_noCallOutlastsANetworkThatSwallowsIt(t *testing.T) {
	testbed.Long(t)
	b := setup(t, 1)
	b.Do(command(0, "CreateBatch", `{"ref":"b1","sku":"CHAIR","qty":50}`))
	source := b.Claims[0].Source
	calls := map[string]func(ctx context.Context, s *store.Store) error{
		"Rows": func(ctx context.Context, s *store.Store) error { _, err := s.Rows(ctx, source, 0, 1); return err },
		"Published": func(ctx context.Context, s *store.Store) error {
			_, err := s.Published(ctx, []int32{source.ID})
			return err
		},
		"Nudge":           func(ctx context.Context, s *store.Store) error { return s.Nudge(ctx, []int32{source.ID}) },
		"PositionRecords": func(ctx context.Context, s *store.Store) error { _, err := s.PositionRecords(ctx); return err },
		"KnownNonces": func(ctx context.Context, s *store.Store) error {
			_, err := s.KnownNonces(ctx, [][16]byte{{1}})
			return err
		},
		"AskForNonces":      func(ctx context.Context, s *store.Store) error { return s.AskForNonces(ctx) },
		"EnsurePositions":   func(ctx context.Context, s *store.Store) error { return s.EnsurePositions(ctx, nil) },
		"MakeDays":          func(ctx context.Context, s *store.Store) error { return s.MakeDays(ctx) },
		"DropDays":          func(ctx context.Context, s *store.Store) error { _, err := s.DropDays(ctx, time.Hour); return err },
		"OutboxDaysAhead":   func(ctx context.Context, s *store.Store) error { _, err := s.OutboxDaysAhead(ctx); return err },
		"OldestTransaction": func(ctx context.Context, s *store.Store) error { _, err := s.OldestTransaction(ctx); return err },
		"Backlogs": func(ctx context.Context, s *store.Store) error {
			_, err := s.Backlogs(ctx, []int32{source.ID})
			return err
		},
		"WriteNonce": func(ctx context.Context, s *store.Store) error { _, err := s.WriteNonce(ctx, [16]byte{2}); return err },
		"SaveTroubles": func(ctx context.Context, s *store.Store) error {
			return s.SaveTroubles(ctx, []worker.Trouble{{Source: source.ID, Why: "x"}})
		},
		"SavePublished": func(ctx context.Context, s *store.Store) error {
			_, err := s.SavePublished(ctx, []worker.Progress{{Source: source.ID, Token: b.Claims[0].Token}})
			return err
		},
	}
	u, err := url.Parse(b.URL)
	require.NoError(t, err)
	way, err := proxy.New()
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, way.Close()) })
	way.Lead(u.Host)
	u.Host = way.Addr()
	stores := map[string]*store.Store{}
	for name, call := range calls {
		stores[name] = b.OpenWith(store.Options{URL: u.String(), Owner: name})
		require.NoError(t, call(t.Context(), stores[name]), "%s, with a connection that stays", name)
	}

	way.Hold(proxy.Up, proxy.Down)
	ctx, cancel := context.WithTimeout(t.Context(), 3*callTimeout)
	defer cancel()
	var waiting sync.WaitGroup
	for name, call := range calls {
		waiting.Go(func() {
			if err := call(ctx, stores[name]); err == nil || ctx.Err() != nil {
				t.Errorf("%s: %v", name, err)
			}
		})
	}
	waiting.Wait()
	way.Cut()
}
