package service

import (
	"log/slog"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"

	"allocation/cmd/internal/config"
)

// An attempt may take long, and end after a newer one that was made with the files of by then.
func TestAccess_newerAttemptsCount(t *testing.T) {
	t.Parallel()
	began := time.Now()
	refusal := &config.AccessError{Reason: "password"}
	for name, c := range map[string]struct {
		refused time.Duration // when the attempt began that was refused, which ends last
		ready   bool
	}{
		"refused before it was granted": {refused: -time.Second, ready: true},
		"refused after it was granted":  {refused: time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			counter := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "refused"}, []string{"system", "reason"})
			a := newAccess(systemPostgres, func(err error) error { return err }, counter, slog.New(slog.DiscardHandler))
			a.note("here", began.Add(-2*time.Second), refusal)
			require.Len(t, a.reasons(), 1)
			a.note("here", began, nil)
			require.Empty(t, a.reasons())
			a.note("here", began.Add(c.refused), refusal)
			require.Equal(t, c.ready, len(a.reasons()) == 0)
		})
	}
}
